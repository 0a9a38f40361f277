"""The history of runs in DynamoDB, and their figures in CloudWatch."""

from typing import Any

from .aws import translated
from .core.coverage import CoverageStatus
from .core.records import RunRecord

Item = dict[str, dict[str, str]]


class RedditIngestionRunRecorder:
    """Keeps a record per window and one per attempt, and publishes figures.

    Needs `dynamodb:PutItem` and `cloudwatch:PutMetricData`. A record costs three requests: two items and one call with
    all of the window's figures, because the figures come before the watermark moves.
    """

    def __init__(self, dynamodb: Any, cloudwatch: Any, table: str, namespace: str) -> None:
        self._dynamodb = dynamodb
        self._cloudwatch = cloudwatch
        self._table = table
        self._namespace = namespace

    def record(self, run: RunRecord) -> None:
        """Write the window's item (`sk = RUN#…`, the newest attempt stands), the attempt's item, and the figures.

        Items of the same attempt are the same again; its figures are counted again.
        """
        item = _item(run)
        self._put({**item, "sk": {"S": f"ATTEMPT#{run.window.start_ts}#{run.manifest.rpartition('/')[2]}"}})
        self._put({**item, "sk": {"S": f"RUN#{run.window.start_ts}"}})
        with translated("cloudwatch:PutMetricData", self._namespace):
            # Without a time of their own the figures stand at the moment of landing, which CloudWatch always accepts;
            # a window's own time may be years ago.
            self._cloudwatch.put_metric_data(Namespace=self._namespace, MetricData=_figures(run))

    def _put(self, item: Item) -> None:
        with translated("dynamodb:PutItem", f"table {self._table}"):
            self._dynamodb.put_item(TableName=self._table, Item=item)


def _item(run: RunRecord) -> Item:
    numbers = {
        "SubmissionsCount": run.submissions,
        "CommentsCount": run.comments,
        "NewCommentsCount": run.new_comments,
        "QuarantinedCount": run.quarantined,
        "RequestsCount": run.requests,
        "WindowStartTs": run.window.start_ts,
        "WindowEndTs": run.window.end_ts,
        "IngestedAtTs": run.ingested_at_ts,
    }
    texts = {"Mode": str(run.mode), "Status": str(run.status), "Manifest": run.manifest, "Reason": run.reason}
    return {
        "pk": {"S": f"ENV#{run.environment}#SUBREDDIT#{run.subreddit}"},
        **{name: {"N": str(value)} for name, value in numbers.items()},
        **{name: {"S": value} for name, value in texts.items()},
    }


def _figures(run: RunRecord) -> list[dict[str, Any]]:
    environment = {"Name": "Environment", "Value": run.environment}
    of_subreddit = {
        "NewSubmissions": run.submissions,
        "NewComments": run.new_comments,
        "WindowsSeen": int(run.status.is_whole),
    }
    of_environment = {
        "WindowsWithGaps": int(run.status.is_gap),
        "WindowsBlocked": int(run.status is CoverageStatus.BLOCKED),
        "WindowsFailed": int(run.status is CoverageStatus.FAILED),
        "RedditRequests": run.requests,
    }
    subreddit = {"Name": "Subreddit", "Value": run.subreddit}
    return [
        *(_figure(name, value, [environment, subreddit]) for name, value in of_subreddit.items()),
        *(_figure(name, value, [environment]) for name, value in of_environment.items()),
    ]


def _figure(name: str, value: int, dimensions: list[dict[str, str]]) -> dict[str, Any]:
    return {"MetricName": name, "Value": value, "Unit": "Count", "Dimensions": dimensions}
