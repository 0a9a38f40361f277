"""Reddit's key from Secrets Manager, read at run time and kept nowhere else."""

import json
from collections.abc import Mapping
from typing import Any

from .aws import translated
from .core.authors import AuthorKey
from .core.errors import InvalidSetting
from .core.settings import RedditCredentials


class SecretCredentials:
    """Reads the secret, a JSON document with the three names of the environment, and `AUTHOR_KEY` where it is needed.

    Needs `GetSecretValue`.
    """

    def __init__(self, client: Any, secret_arn: str) -> None:
        self._client = client
        self._secret_arn = secret_arn

    def load(self) -> RedditCredentials:
        """Return Reddit's key as it is now; one request. A rotated secret is noticed by calling this again.

        Raises:
            InvalidSetting: the secret is no such document; the message never holds any of it.
            ServiceRefused, ServiceUnavailable: it cannot be read.
        """
        return self.reddit(self.document())

    def reddit(self, document: Mapping[str, Any]) -> RedditCredentials:
        """Return Reddit's key from the document.

        Raises:
            InvalidSetting: it lacks a name; the message never holds any of it.
        """
        return RedditCredentials.from_mapping(document, place=f"the secret {self._secret_arn}")

    def author_key(self, document: Mapping[str, Any]) -> AuthorKey:
        """Return the key of hashed authors from the document.

        Raises:
            InvalidSetting: it has none.
        """
        return AuthorKey.from_text(document.get("AUTHOR_KEY"), f"AUTHOR_KEY in the secret {self._secret_arn}")

    def document(self) -> Mapping[str, Any]:
        """Return the secret as it is now; one request.

        Raises:
            InvalidSetting: the secret is no JSON document; the message never holds any of it.
            ServiceRefused, ServiceUnavailable: it cannot be read.
        """
        with translated("secretsmanager:GetSecretValue", self._secret_arn):
            secret = self._client.get_secret_value(SecretId=self._secret_arn).get("SecretString")
        try:
            values = json.loads(secret)
        except (ValueError, TypeError, RecursionError):
            values = None
        if not isinstance(values, dict):
            # Outside the except clause, so that no traceback carries the document along.
            raise InvalidSetting(
                f"the secret {self._secret_arn} is no JSON document with REDDIT_CLIENT_ID, REDDIT_CLIENT_SECRET and"
                " REDDIT_USER_AGENT; store it again"
            )
        return values
