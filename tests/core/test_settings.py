import pytest
from hypothesis import given
from hypothesis import strategies as st

from reddit_ingest.core.errors import InvalidRequest, InvalidSetting
from reddit_ingest.core.ladder import Ladder
from reddit_ingest.core.settings import (
    IngestSettings,
    PrivacySettings,
    RedditCredentials,
    RedditEndpoint,
    RefreshSettings,
)

AGENT = "linux:market-opinion:v1 (by /u/somebody)"
SECRET = "s3cr3t-Value_of-27-characters"
CREDENTIALS = {"REDDIT_CLIENT_ID": "an-id-of-14ch", "REDDIT_CLIENT_SECRET": SECRET, "REDDIT_USER_AGENT": AGENT}


def test_credentials_are_read_and_stripped() -> None:
    padded = {name: f" {value}\n" for name, value in CREDENTIALS.items()}
    assert RedditCredentials.from_mapping(padded) == RedditCredentials("an-id-of-14ch", SECRET, AGENT)


@pytest.mark.parametrize("name", CREDENTIALS)
@pytest.mark.parametrize("value", [None, "", "   ", "\n"])
def test_a_missing_credential_is_named_with_its_place_and_no_other_value_is_told(name: str, value: str | None) -> None:
    values = {**CREDENTIALS, name: value} if value is not None else {k: v for k, v in CREDENTIALS.items() if k != name}
    with pytest.raises(InvalidSetting, match=f"{name} is missing in the secret arn:x") as refused:
        RedditCredentials.from_mapping(values, place="the secret arn:x")  # type: ignore[arg-type]
    assert SECRET not in str(refused.value)
    assert "an-id-of-14ch" not in str(refused.value)


@pytest.mark.parametrize(
    "agent", ["python", "x", "бот:opinion:v1 (by /u/x)", "linux:opinion:v1\nX: y", "linux\0opinion"]
)
def test_a_user_agent_that_reddit_would_throttle_or_requests_would_refuse_is_named(agent: str) -> None:
    with pytest.raises(InvalidSetting, match="REDDIT_USER_AGENT in the environment"):
        RedditCredentials.from_mapping({**CREDENTIALS, "REDDIT_USER_AGENT": agent})


@pytest.mark.parametrize("name", ["REDDIT_CLIENT_ID", "REDDIT_CLIENT_SECRET"])
@pytest.mark.parametrize("value", ["pasted-with-an-ellipsis…", "zero\u200bwidth", "half\ud800"])
def test_a_key_that_no_header_can_carry_is_named_before_any_request(name: str, value: str) -> None:
    with pytest.raises(InvalidSetting, match=name) as refused:
        RedditCredentials.from_mapping({**CREDENTIALS, name: value})
    assert value not in str(refused.value)


def test_credentials_show_neither_id_nor_secret() -> None:
    shown = repr(RedditCredentials.from_mapping(CREDENTIALS))
    assert SECRET not in shown
    assert "an-id-of-14ch" not in shown
    assert AGENT in shown
    assert shown == str(RedditCredentials.from_mapping(CREDENTIALS))


def test_without_addresses_reddit_itself_is_meant() -> None:
    assert RedditEndpoint.from_mapping({}) == RedditEndpoint(None, None)
    assert RedditEndpoint.from_mapping({"REDDIT_URL": "", "REDDIT_OAUTH_URL": ""}) == RedditEndpoint(None, None)


def test_both_addresses_are_taken() -> None:
    values = {"REDDIT_OAUTH_URL": "http://127.0.0.1:8010", "REDDIT_URL": "https://x.test"}
    assert RedditEndpoint.from_mapping(values) == RedditEndpoint("http://127.0.0.1:8010", "https://x.test")


@pytest.mark.parametrize("name", ["REDDIT_OAUTH_URL", "REDDIT_URL"])
def test_one_address_alone_is_refused(name: str) -> None:
    with pytest.raises(InvalidSetting, match="go together"):
        RedditEndpoint.from_mapping({name: "http://127.0.0.1:8010"})


@pytest.mark.parametrize("url", ["127.0.0.1:8010", "ftp://x", "file:///etc/passwd", "javascript:1", " http://x"])
def test_an_address_that_is_none_is_named(url: str) -> None:
    with pytest.raises(InvalidSetting, match="REDDIT_URL must be an address"):
        RedditEndpoint.from_mapping({"REDDIT_OAUTH_URL": "http://ok", "REDDIT_URL": url})


def test_an_empty_environment_gives_the_documented_defaults() -> None:
    assert IngestSettings.from_mapping({}) == IngestSettings()
    assert IngestSettings().max_windows_per_run == 1
    assert IngestSettings().landing_prefix == "reddit/"
    assert IngestSettings().max_submissions is None


def test_every_variable_of_the_contract_is_read() -> None:
    settings = IngestSettings.from_mapping(
        {
            "ENVIRONMENT": "prod",
            "SUBREDDITS": "Android, iphone",
            "LANDING_BUCKET_PREFIX": "raw/reddit",
            "MAX_SUBMISSIONS": " 500 ",
            "MAX_HOURLY_WINDOWS_PER_RUN": "24",
            "LOOK_BACK_HOURS": "0",
        }
    )
    assert settings == IngestSettings("prod", ("android", "iphone"), "raw/reddit/", 500, 24, 0)


def test_a_default_subreddit_serves_where_no_list_is_given() -> None:
    assert IngestSettings.from_mapping({"DEFAULT_SUBREDDIT": "Android"}).subreddits == ("android",)
    both = {"DEFAULT_SUBREDDIT": "Android", "SUBREDDITS": "iphone"}
    assert IngestSettings.from_mapping(both).subreddits == ("iphone",)


@pytest.mark.parametrize(("given_prefix", "taken"), [("", ""), ("raw", "raw/"), ("raw/", "raw/"), ("a/b", "a/b/")])
def test_a_prefix_ends_in_a_slash_or_is_empty(given_prefix: str, taken: str) -> None:
    assert IngestSettings.from_mapping({"LANDING_BUCKET_PREFIX": given_prefix}).landing_prefix == taken


NUMBERS = ["MAX_SUBMISSIONS", "MAX_HOURLY_WINDOWS_PER_RUN", "LOOK_BACK_HOURS"]


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize(
    "value", ["-1", "1.5", "1e3", "many", "0x10", "١٢", "1_000", "1,000", "9999999999", "+5", "1 2", "²"]
)
def test_a_number_that_is_none_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(InvalidSetting, match=f"{name} must be a whole number"):
        IngestSettings.from_mapping({name: value})


@pytest.mark.parametrize("name", ["MAX_SUBMISSIONS", "MAX_HOURLY_WINDOWS_PER_RUN"])
def test_zero_is_no_limit_of_anything(name: str) -> None:
    with pytest.raises(InvalidSetting, match=name):
        IngestSettings.from_mapping({name: "0"})


@pytest.mark.parametrize("name", NUMBERS)
def test_an_empty_number_is_the_default(name: str) -> None:
    assert IngestSettings.from_mapping({name: " "}) == IngestSettings()


@pytest.mark.parametrize("name", ["SUBREDDITS", "DEFAULT_SUBREDDIT"])
@pytest.mark.parametrize("value", ["r/android", "android,", "../etc", "an droid"])
def test_a_subreddit_that_is_none_is_refused_by_the_name_of_its_variable(name: str, value: str) -> None:
    with pytest.raises(InvalidSetting, match=name):
        IngestSettings.from_mapping({name: value})


@given(st.dictionaries(st.sampled_from([*NUMBERS, "ENVIRONMENT", "SUBREDDITS", "LANDING_BUCKET_PREFIX"]), st.text()))
def test_any_environment_gives_settings_or_says_what_is_wrong(values: dict[str, str]) -> None:
    try:
        settings = IngestSettings.from_mapping(values)
    except (InvalidSetting, InvalidRequest):
        return
    assert settings.max_windows_per_run >= 1
    assert settings.look_back_hours >= 0
    assert settings.max_submissions is None or settings.max_submissions >= 1


def test_the_ladder_is_read_in_hours_and_put_in_order() -> None:
    settings = RefreshSettings.from_mapping({"REFRESH_LADDER_HOURS": "36, 2,168,36", "REFRESH_REQUESTS": "20"})
    assert settings == RefreshSettings(Ladder((7_200, 129_600, 604_800)), 20)
    assert RefreshSettings.from_mapping({"REFRESH_LADDER_HOURS": " "}) == RefreshSettings()


@pytest.mark.parametrize("value", ["0", "2;36", "-2", "1.5", "2,", "2h", "99999", "\u0662"])
def test_a_ladder_that_is_none_is_refused_with_an_example(value: str) -> None:
    with pytest.raises(InvalidSetting, match="REFRESH_LADDER_HOURS must be ages in hours, for example 2,36,168"):
        RefreshSettings.from_mapping({"REFRESH_LADDER_HOURS": value})


def test_people_are_kept_as_they_are_unless_told_otherwise() -> None:
    assert IngestSettings.from_mapping({}).privacy == PrivacySettings(False, None, 24)
    told = {"AUTHORS": "hashed", "RAW_TEXT_HOURS": "720", "DELETION_DEADLINE_HOURS": "48"}
    assert IngestSettings.from_mapping(told).privacy == PrivacySettings(True, 720, 48)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AUTHORS", "yes"),
        ("AUTHORS", "HASHED"),
        ("RAW_TEXT_HOURS", "0"),
        ("RAW_TEXT_HOURS", "-1"),
        ("RAW_TEXT_HOURS", "a day"),
        ("DELETION_DEADLINE_HOURS", "0"),
        ("DELETION_DEADLINE_HOURS", "1.5"),
    ],
)
def test_a_malformed_setting_of_privacy_is_named(name: str, value: str) -> None:
    with pytest.raises(InvalidSetting, match=name):
        PrivacySettings.from_mapping({name: value})
