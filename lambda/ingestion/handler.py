"""Entry point of the ingestion function: Lambda's event in, what was landed out."""

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

from reddit_ingest.bootstrap_aws import IngestionFunction

if not os.environ.get("AWS_LAMBDA_LOG_LEVEL"):
    logging.getLogger().setLevel(logging.INFO)

_function = IngestionFunction(os.environ)


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Serve one event; see `IngestionFunction.serve` for what it returns and raises."""
    return _function.serve(event, context.get_remaining_time_in_millis)
