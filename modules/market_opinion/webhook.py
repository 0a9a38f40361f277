"""Posts JSON to a webhook. Its address is a secret: errors name the host alone, and no redirect is followed."""

import time
from ipaddress import ip_address
from urllib.parse import urlsplit

import requests

from reddit_ingest.core.errors import InvalidSetting, ServiceRefused, ServiceUnavailable

VARIABLE = "MARKET_OPINION_WEBHOOK"
TIMEOUT_S = 10
PAUSES_S = (1.0, 5.0)
LONGEST_PAUSE_S = 30.0


class Webhook:
    """Something that takes posts over https; over http on this machine alone."""

    def __init__(self, url: str) -> None:
        """Take the address.

        Raises:
            InvalidSetting: it is none.
        """
        if not _is_usable(url):
            raise InvalidSetting(
                f"the webhook is no https address; set {VARIABLE} (or --webhook) to https://HOST/PATH as the service"
                " that takes the alerts tells it"
            )
        self._url = url
        self._host = urlsplit(url).hostname

    def post(self, body: object) -> None:
        """Deliver a body, as JSON, at least once; trouble that may pass is met with two more tries.

        Raises:
            ServiceUnavailable: nobody took it.
            ServiceRefused: it was taken for wrong, or another place was named; no redirect is followed.
        """
        said, pause_s = "", 0.0
        for next_pause_s in (*PAUSES_S, None):
            time.sleep(pause_s)
            said, asked_s = self._tried(body)
            if not said:
                return
            pause_s = asked_s if asked_s is not None else next_pause_s or 0.0
            if pause_s > LONGEST_PAUSE_S:
                break
        raise ServiceUnavailable(f"the webhook at {self._host} {said}; the alerts were not delivered, run again later")

    def _tried(self, body: object) -> tuple[str, float | None]:
        """Return what went wrong, and the pause that is asked for; nothing where the body was taken."""
        try:
            # The answer's body is of no interest, and may never end.
            with requests.post(self._url, json=body, timeout=TIMEOUT_S, allow_redirects=False, stream=True) as response:
                status, asked = response.status_code, response.headers.get("retry-after", "")
        except (requests.ConnectionError, requests.Timeout) as error:
            # The cause is not kept, nor is that of the next: both tell the whole address.
            return f"does not answer ({type(error).__name__})", None
        except requests.RequestException as error:
            raise InvalidSetting(
                f"nothing can be posted to the webhook at {self._host}: {type(error).__name__}"
            ) from None
        if 200 <= status < 300:
            return "", None
        if status == 429 or status >= 500:
            return f"answers {status}", float(asked) if asked.isascii() and asked.isdecimal() else None
        raise ServiceRefused(f"the webhook at {self._host} answers {status}; check its address, and --form")


def _is_usable(url: str) -> bool:
    if not url.isascii() or not url.isprintable() or set(url) & set(" \\"):
        return False
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and _is_here(host or "")))


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
