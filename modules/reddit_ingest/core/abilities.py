"""What each source can show, and at what price: the facts that planning needs, and that the adapters keep to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ability:
    """What a source can do.

    `newest_only` is how many entries of a listing it shows (None: everything there ever was). `settles_s` is how long
    after its end a window must be left alone. A pass holds its windows in memory, at most `windows_per_pass` of them
    (None: as many as are asked for), and spends `requests_per_pass` on each kind beside those that bring items.
    """

    name: str
    newest_only: int | None
    settles_s: int
    windows_per_pass: int | None
    requests_per_pass: int
    items_per_request: int
    seconds_per_request: float


REDDIT_API = Ability(
    name="reddit-api",
    newest_only=1_000,
    settles_s=120,
    windows_per_pass=None,
    requests_per_pass=1,
    items_per_request=100,
    seconds_per_request=0.6,  # 100 a minute
)
ARCTIC_SHIFT = Ability(
    name="arctic-shift",
    newest_only=None,
    # It looks at every item once when it is new and again 36 hours later; half a day is for its own troubles.
    settles_s=48 * 3_600,
    windows_per_pass=24,
    requests_per_pass=2,
    items_per_request=100,
    seconds_per_request=1.0,
)

ABILITIES = {ability.name: ability for ability in (REDDIT_API, ARCTIC_SHIFT)}
"""All sources by name, the preferred one first."""
