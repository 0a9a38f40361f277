"""Watermarks in SSM Parameter Store: `{base_path}/{environment}/{subreddit}/last_run_ts`."""

from typing import Any

from .aws import translated
from .core.errors import DamagedState
from .core.names import subreddit_key


class RedditIngestionStateStore:
    """Keeps watermarks; needs `ssm:GetParameter` and `ssm:PutParameter`. One request a call."""

    def __init__(self, client: Any, base_path: str, environment: str) -> None:
        self._client = client
        self._folder = f"{base_path}/{environment}"

    def load_last_run_timestamp(self, subreddit: str) -> int | None:
        """Return the watermark in seconds UTC, or None before the first run.

        Raises:
            DamagedState: what is stored is no whole number.
            ServiceRefused, ServiceUnavailable: the parameter cannot be read.
        """
        name = self._name(subreddit)
        with translated("ssm:GetParameter", name):
            try:
                value: str = self._client.get_parameter(Name=name)["Parameter"]["Value"]
            except self._client.exceptions.ParameterNotFound:
                return None
        if not value.removeprefix("-").isdecimal() or not value.isascii() or len(value) > 20:
            raise DamagedState(f"the watermark of r/{subreddit} in {name} is no number: {value[:40]!r}")
        return int(value)

    def save_last_run_timestamp(self, subreddit: str, timestamp: int) -> None:
        """Store the watermark."""
        name = self._name(subreddit)
        with translated("ssm:PutParameter", name):
            self._client.put_parameter(Name=name, Value=str(timestamp), Type="String", Overwrite=True)

    def _name(self, subreddit: str) -> str:
        return f"{self._folder}/{subreddit_key(subreddit)}/last_run_ts"
