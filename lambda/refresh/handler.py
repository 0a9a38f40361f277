"""Entry point of the refresh function: Lambda's event in, what became of known items out."""

import logging
import os
import sys
from pathlib import Path
from typing import Any

try:
    import reddit_ingest  # noqa: F401
except ModuleNotFoundError:
    # A zip made by hand holds the packages in a folder `modules/` beside this file.
    sys.path.insert(0, str(Path(__file__).parent / "modules"))

from reddit_ingest.bootstrap_aws import RefreshFunction

if not os.environ.get("AWS_LAMBDA_LOG_LEVEL"):
    logging.getLogger().setLevel(logging.INFO)

_function = RefreshFunction(os.environ)


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Serve one event; see `RefreshFunction.serve` for what it returns and raises."""
    return _function.serve(event, context.get_remaining_time_in_millis)
