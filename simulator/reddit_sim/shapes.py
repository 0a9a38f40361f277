"""The fields that Reddit's API shows today, filled in for made-up submissions and comments."""

import random
import zlib
from typing import Any

from .things import Post

_FLAIR: dict[str, Any] = {
    "author_flair_background_color": None,
    "author_flair_css_class": None,
    "author_flair_richtext": [],
    "author_flair_template_id": None,
    "author_flair_text": None,
    "author_flair_text_color": None,
    "author_flair_type": "text",
    "author_is_blocked": False,
    "author_patreon_flair": False,
    "author_premium": False,
}
_MODERATION: dict[str, Any] = {
    "all_awardings": [],
    "approved_at_utc": None,
    "approved_by": None,
    "archived": False,
    "awarders": [],
    "banned_at_utc": None,
    "banned_by": None,
    "can_gild": False,
    "can_mod_post": False,
    "distinguished": None,
    "downs": 0,
    "edited": False,
    "gilded": 0,
    "gildings": {},
    "likes": None,
    "locked": False,
    "mod_note": None,
    "mod_reason_by": None,
    "mod_reason_title": None,
    "mod_reports": [],
    "no_follow": False,
    "num_reports": None,
    "removal_reason": None,
    "report_reasons": None,
    "saved": False,
    "send_replies": True,
    "stickied": False,
    "top_awarded_type": None,
    "total_awards_received": 0,
    "treatment_tags": [],
    "user_reports": [],
}
_POST: dict[str, Any] = {
    **_FLAIR,
    **_MODERATION,
    "allow_live_comments": False,
    "category": None,
    "clicked": False,
    "content_categories": None,
    "contest_mode": False,
    "discussion_type": None,
    "hidden": False,
    "hide_score": False,
    "is_created_from_ads_ui": False,
    "is_crosspostable": True,
    "is_meta": False,
    "is_original_content": False,
    "is_reddit_media_domain": False,
    "is_robot_indexable": True,
    "is_self": True,
    "is_video": False,
    "link_flair_background_color": "",
    "link_flair_css_class": None,
    "link_flair_richtext": [],
    "link_flair_text": None,
    "link_flair_text_color": "dark",
    "link_flair_type": "text",
    "media": None,
    "media_embed": {},
    "media_only": False,
    "num_crossposts": 0,
    "over_18": False,
    "parent_whitelist_status": "all_ads",
    "pinned": False,
    "pwls": 6,
    "quarantine": False,
    "removed_by": None,
    "removed_by_category": None,
    "secure_media": None,
    "secure_media_embed": {},
    "spoiler": False,
    "subreddit_type": "public",
    "suggested_sort": None,
    "thumbnail": "self",
    "thumbnail_height": None,
    "thumbnail_width": None,
    "view_count": None,
    "visited": False,
    "whitelist_status": "all_ads",
    "wls": 6,
}
_COMMENT: dict[str, Any] = {
    **_FLAIR,
    **_MODERATION,
    "associated_award": None,
    "author_flair_template_id": None,
    "collapsed": False,
    "collapsed_because_crowd_control": None,
    "collapsed_reason": None,
    "collapsed_reason_code": None,
    "comment_type": None,
    "controversiality": 0,
    "is_submitter": False,
    "score_hidden": False,
    "subreddit_type": "public",
    "unrepliable_reason": None,
}
# A third of today's submissions carry a preview of their picture or link: most of a listing's bytes.
_PREVIEW_WIDTHS = (108, 216, 320, 640, 960, 1080)


def post_fields(
    item_id: str, subreddit: str, title: str, text: str, author: str, dice: random.Random
) -> dict[str, Any]:
    """Return a submission's fixed fields."""
    path = f"/r/{subreddit}/comments/{item_id}/{_slug(title)}/"
    fields = {
        **_POST,
        **_of_author(author),
        **_of_subreddit(subreddit),
        "title": title,
        "selftext": text,
        "permalink": path,
        "url": f"https://www.reddit.com{path}",
        "domain": f"self.{subreddit}",
        "upvote_ratio": round(dice.uniform(0.55, 0.99), 2),
        "subreddit_subscribers": 250_000,
        "link_flair_text": dice.choice((None, None, "Question", "Review", "News")),
    }
    if dice.random() < 0.33:
        fields |= {"preview": _preview(item_id), "post_hint": "self"}
    return fields


def comment_fields(item_id: str, post: Post, text: str, author: str, dice: random.Random) -> dict[str, Any]:
    """Return a comment's fixed fields."""
    return {
        **_COMMENT,
        **_of_author(author),
        **_of_subreddit(post.subreddit),
        "body": text,
        "permalink": f"{post.fields['permalink']}{item_id}/",
        "is_submitter": author == post.fields["author"],
        "score_hidden": dice.random() < 0.05,
    }


def _of_author(author: str) -> dict[str, Any]:
    return {"author": author, "author_fullname": f"t2_{zlib.crc32(author.encode()):x}"}


def _of_subreddit(subreddit: str) -> dict[str, Any]:
    short = "".join(char for char in subreddit.lower() if char.isalnum())[:6]
    return {"subreddit": subreddit, "subreddit_id": f"t5_{short}", "subreddit_name_prefixed": f"r/{subreddit}"}


def _preview(item_id: str) -> dict[str, Any]:
    def picture(width: int) -> dict[str, Any]:
        address = f"https://external-preview.example/{item_id}.jpg?width={width}&crop=smart&auto=webp&s={item_id * 4}"
        return {"url": address, "width": width, "height": width * 9 // 16}

    image = {
        "source": picture(1200),
        "resolutions": [picture(width) for width in _PREVIEW_WIDTHS],
        "variants": {},
        "id": item_id,
    }
    return {"images": [image], "enabled": False}


def _slug(title: str) -> str:
    return "_".join("".join(char if char.isalnum() else " " for char in title.lower()).split())[:50]
