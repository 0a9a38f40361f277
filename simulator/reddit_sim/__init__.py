"""A Reddit over HTTP that PRAW cannot tell from the real one for reading: for the demo and for tests."""

from .generated import GeneratedWorld
from .hostile import HostilePlan
from .plants import BotAccount, Event, Flood
from .quota import Quota
from .recorded import RecordedWorld
from .server import Simulator
from .things import Comment, Post
from .world import ItemWorld, Opinion, SubredditSpec, World

__all__ = [
    "BotAccount",
    "Comment",
    "Event",
    "Flood",
    "GeneratedWorld",
    "HostilePlan",
    "ItemWorld",
    "Opinion",
    "Post",
    "Quota",
    "RecordedWorld",
    "Simulator",
    "SubredditSpec",
    "World",
]
