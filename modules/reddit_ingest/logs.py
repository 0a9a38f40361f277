"""Log lines with fields: readable as text, and separate fields where the handler writes JSON."""

import logging

_TALKATIVE = ("boto3", "botocore", "s3transfer", "urllib3", "praw", "prawcore")


def tell(logger: logging.Logger, level: int, event: str, **fields: object) -> None:
    """Log an event as `event key=value …`; the fields are also attributes of the record.

    Lambda's JSON format writes those attributes as fields of their own.
    """
    if logger.isEnabledFor(level):
        logger.log(level, "%s %s", event, " ".join(f"{name}={value}" for name, value in fields.items()), extra=fields)


def keep_libraries_quiet() -> None:
    """Let libraries log warnings only: at DEBUG they write whole answers, secrets among them."""
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
