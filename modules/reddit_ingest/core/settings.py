"""Settings: frozen values built from a mapping of environment variables by one function each.

Nothing here reads the environment; the composition root passes `os.environ`, a test passes a dict.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from .errors import InvalidRequest, InvalidSetting
from .ladder import Ladder
from .names import subreddit_keys
from .windows import HOUR_S

_ENVIRONMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}", re.ASCII)
_STATE_BASE_PATH = re.compile(r"(/[A-Za-z0-9._-]{1,64}){1,5}", re.ASCII)
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)
_TABLE = re.compile(r"[A-Za-z0-9._-]{3,255}", re.ASCII)
_NAMESPACE = re.compile(r"(?!AWS/)[A-Za-z0-9._/#:-]{1,255}", re.ASCII)
_SECRET = re.compile(r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]{1,512}", re.ASCII)
_ADDRESS = re.compile(r"https?://[A-Za-z0-9._\[\]:-]{1,253}(/[A-Za-z0-9._~/-]*)?", re.ASCII)
_LADDER = re.compile(r"[1-9][0-9]{0,3}(,[1-9][0-9]{0,3}){0,9}", re.ASCII)
_USER_AGENT_EXAMPLE = "linux:market-opinion:v1 (by /u/your_name)"


@dataclass(frozen=True, slots=True)
class RedditCredentials:
    """An application's key to Reddit's API; `repr` shows neither id nor secret."""

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    user_agent: str

    @classmethod
    def from_mapping(cls, values: Mapping[str, str], place: str = "the environment") -> "RedditCredentials":
        """Read `REDDIT_CLIENT_ID`, `REDDIT_CLIENT_SECRET` and `REDDIT_USER_AGENT`.

        Raises:
            InvalidSetting: one is missing, empty or unusable; the message names it, never its value.
        """
        return cls(
            client_id=_plain(values, "REDDIT_CLIENT_ID", "the id under your app's name", place),
            client_secret=_plain(values, "REDDIT_CLIENT_SECRET", "the app's secret", place),
            user_agent=_user_agent(_required(values, "REDDIT_USER_AGENT", _USER_AGENT_EXAMPLE, place), place),
        )


def _user_agent(value: str, place: str) -> str:
    # Reddit throttles undescriptive agents, and a character outside Latin-1 fails only at the first request.
    if len(value) < 7 or not value.isascii() or not value.isprintable():
        raise InvalidSetting(
            f"REDDIT_USER_AGENT in {place} must be a line of plain ASCII that names the app and its owner,"
            f" for example {_USER_AGENT_EXAMPLE!r}"
        )
    return value


@dataclass(frozen=True, slots=True)
class RedditEndpoint:
    """Where Reddit is: None stands for the real one; the simulator is reached by giving both."""

    oauth_url: str | None = None
    reddit_url: str | None = None

    @classmethod
    def from_mapping(cls, values: Mapping[str, str]) -> "RedditEndpoint":
        """Read `REDDIT_OAUTH_URL` and `REDDIT_URL`; both or neither.

        Raises:
            InvalidSetting: only one is given, or one is no http(s) address.
        """
        oauth_url, reddit_url = values.get("REDDIT_OAUTH_URL") or None, values.get("REDDIT_URL") or None
        if (oauth_url is None) != (reddit_url is None):
            raise InvalidSetting("REDDIT_OAUTH_URL and REDDIT_URL go together: set both, or neither for reddit.com")
        for name, url in (("REDDIT_OAUTH_URL", oauth_url), ("REDDIT_URL", reddit_url)):
            if url is not None and not url.startswith(("http://", "https://")):
                raise InvalidSetting(f"{name} must be an address such as http://127.0.0.1:8010, got {url!r}")
        return cls(oauth_url, reddit_url)


@dataclass(frozen=True, slots=True)
class ArcticShiftEndpoint:
    """Where the archive Arctic Shift is; it asks for no key."""

    url: str = "https://arctic-shift.photon-reddit.com"

    @classmethod
    def from_mapping(cls, values: Mapping[str, str]) -> "ArcticShiftEndpoint":
        """Read `ARCTIC_SHIFT_URL`; without it, the public one.

        Raises:
            InvalidSetting: it is no http(s) address.
        """
        url = values.get("ARCTIC_SHIFT_URL") or cls().url
        if not _ADDRESS.fullmatch(url):
            raise InvalidSetting(f"ARCTIC_SHIFT_URL must be an address such as {cls().url}, got {url[:80]!r}")
        return cls(url.rstrip("/"))


@dataclass(frozen=True, slots=True)
class PrivacySettings:
    """What is kept of people, and for how long; `raw_text_hours` is None where texts are kept for good."""

    hashes_authors: bool = False
    raw_text_hours: int | None = None
    deletion_deadline_hours: int = 24

    @classmethod
    def from_mapping(cls, values: Mapping[str, str]) -> "PrivacySettings":
        """Read `AUTHORS`, `RAW_TEXT_HOURS` and `DELETION_DEADLINE_HOURS`; a missing one has its documented default.

        Raises:
            InvalidSetting: a value is malformed; the message names the variable and an example.
        """
        authors = (values.get("AUTHORS") or "plain").strip()
        if authors not in ("plain", "hashed"):
            raise InvalidSetting(f"AUTHORS must be plain or hashed, got {authors[:40]!r}")
        return cls(
            hashes_authors=authors == "hashed",
            raw_text_hours=_number(values, "RAW_TEXT_HOURS", None),
            deletion_deadline_hours=_number(values, "DELETION_DEADLINE_HOURS", cls().deletion_deadline_hours) or 1,
        )


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """How windows are read and where they land."""

    environment: str = "local"
    subreddits: tuple[str, ...] = ()
    landing_prefix: str = "reddit/"
    max_submissions: int | None = None
    max_windows_per_run: int = 1
    look_back_hours: int = 2
    part_bytes: int = 128 * 1024 * 1024
    privacy: PrivacySettings = field(default_factory=PrivacySettings)

    @classmethod
    def from_mapping(cls, values: Mapping[str, str]) -> "IngestSettings":
        """Read the variables of the data contract; a missing one has its documented default.

        Raises:
            InvalidSetting: a value is malformed; the message names the variable and an example.
        """
        default = cls()
        return cls(
            environment=_environment(values.get("ENVIRONMENT") or default.environment),
            subreddits=_subreddits(values, "SUBREDDITS") or _subreddits(values, "DEFAULT_SUBREDDIT"),
            landing_prefix=_prefix(values.get("LANDING_BUCKET_PREFIX", default.landing_prefix)),
            max_submissions=_number(values, "MAX_SUBMISSIONS", default.max_submissions),
            max_windows_per_run=_number(values, "MAX_HOURLY_WINDOWS_PER_RUN", default.max_windows_per_run) or 1,
            look_back_hours=_number(values, "LOOK_BACK_HOURS", default.look_back_hours, least=0) or 0,
            privacy=PrivacySettings.from_mapping(values),
        )


@dataclass(frozen=True, slots=True)
class RefreshSettings:
    """At which ages known items are looked at again, and how many requests one run may spend on it."""

    ladder: Ladder = field(default_factory=Ladder)
    requests: int = 300

    @classmethod
    def from_mapping(cls, values: Mapping[str, str]) -> "RefreshSettings":
        """Read `REFRESH_LADDER_HOURS` and `REFRESH_REQUESTS`; a missing one has its documented default.

        Raises:
            InvalidSetting: a value is malformed; the message names the variable and an example.
        """
        return cls(_ladder(values), _number(values, "REFRESH_REQUESTS", cls().requests) or 1)


@dataclass(frozen=True, slots=True)
class AwsSettings:
    """Where the lake, its state and its history lie on AWS.

    `augmented_bucket` is None for those who only land, `secret_arn` for those who only read.
    """

    landing_bucket: str
    augmented_bucket: str | None = None
    secret_arn: str | None = None
    state_base_path: str = "/reddit-ingest"
    runs_table: str = "reddit-ingestion-runs"
    metrics_namespace: str = "RedditIngestion"

    @classmethod
    def from_mapping(cls, values: Mapping[str, str]) -> "AwsSettings":
        """Read the variables of the data contract that name things on AWS.

        Raises:
            InvalidSetting: `LANDING_BUCKET_NAME` is missing, or a value cannot be such a name.
        """
        if not values.get("LANDING_BUCKET_NAME"):
            raise InvalidSetting(
                "LANDING_BUCKET_NAME is missing in the environment; set it, for example from"
                " `terraform output reading_environment`"
            )
        return cls(
            landing_bucket=_name(values, "LANDING_BUCKET_NAME", _BUCKET, "tf-prod-smartcomp-lz", ""),
            augmented_bucket=_name(values, "AUGMENTED_BUCKET_NAME", _BUCKET, "tf-prod-smartcomp-augmented", "") or None,
            secret_arn=_name(
                values, "REDDIT_SECRET_ARN", _SECRET, "arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME", ""
            )
            or None,
            state_base_path=_name(values, "STATE_BASE_PATH", _STATE_BASE_PATH, "/reddit-ingest", "/reddit-ingest"),
            runs_table=_name(values, "RUNS_TABLE_NAME", _TABLE, "reddit-ingestion-runs", "reddit-ingestion-runs"),
            metrics_namespace=_name(values, "METRICS_NAMESPACE", _NAMESPACE, "RedditIngestion", "RedditIngestion"),
        )


def _name(values: Mapping[str, str], variable: str, form: re.Pattern[str], example: str, default: str) -> str:
    value = values.get(variable) or default
    if value and not form.fullmatch(value):
        raise InvalidSetting(f"{variable} must look like {example}, got {value[:60]!r}")
    return value


def _required(values: Mapping[str, str], name: str, example: str, place: str) -> str:
    value = values.get(name)
    if not isinstance(value, str) or not value.strip():
        raise InvalidSetting(
            f"{name} is missing in {place} ({example}); set it, or run `market-opinion demo`, which needs no account"
        )
    return value.strip()


def _plain(values: Mapping[str, str], name: str, example: str, place: str) -> str:
    value = _required(values, name, example, place)
    if not value.isascii() or not value.isprintable():
        raise InvalidSetting(f"{name} in {place} holds a character that no key has; copy it again from Reddit's page")
    return value


def _environment(value: str) -> str:
    # It becomes part of parameter names and table keys.
    if not _ENVIRONMENT.fullmatch(value):
        raise InvalidSetting(f"ENVIRONMENT must be letters, digits and dashes, for example prod; got {value[:40]!r}")
    return value


def _subreddits(values: Mapping[str, str], name: str) -> tuple[str, ...]:
    try:
        return subreddit_keys(values.get(name) or ())
    except InvalidRequest as error:
        raise InvalidSetting(f"{name}: {error}") from error


def _prefix(value: str) -> str:
    return value if not value or value.endswith("/") else value + "/"


def _ladder(values: Mapping[str, str]) -> Ladder:
    text = (values.get("REFRESH_LADDER_HOURS") or "").replace(" ", "")
    if not text:
        return Ladder()
    if not _LADDER.fullmatch(text):
        raise InvalidSetting(f"REFRESH_LADDER_HOURS must be ages in hours, for example 2,36,168; got {text[:40]!r}")
    return Ladder(tuple(sorted({int(hours) * HOUR_S for hours in text.split(",")})))


def _number(values: Mapping[str, str], name: str, default: int | None, least: int = 1) -> int | None:
    text = (values.get(name) or "").strip()
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) < least:
        raise InvalidSetting(f"{name} must be a whole number of at least {least}, for example 24; got {text[:40]!r}")
    return int(text)
