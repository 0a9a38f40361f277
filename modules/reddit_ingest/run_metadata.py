"""The history of runs in DynamoDB, and their figures in CloudWatch."""

import json
from typing import Any

from .aws import translated
from .core.coverage import CoverageStatus
from .core.names import subreddit_key
from .core.records import RefreshRecord, RunRecord

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
        self._put(_attempt_item(run))
        self._put(_window_item(run))
        with translated("cloudwatch:PutMetricData", self._namespace):
            # Without a time of their own the figures stand at the moment of landing, which CloudWatch always accepts;
            # a window's own time may be years ago.
            self._cloudwatch.put_metric_data(Namespace=self._namespace, MetricData=_figures(run))

    def record_refresh(self, refresh: RefreshRecord) -> None:
        """Write the item of a refresh (`sk = REFRESH#…`) and its figures; two requests."""
        self._put(_refresh_item(refresh))
        with translated("cloudwatch:PutMetricData", self._namespace):
            self._cloudwatch.put_metric_data(Namespace=self._namespace, MetricData=_refresh_figures(refresh))

    def _put(self, item: Item) -> None:
        with translated("dynamodb:PutItem", f"table {self._table}"):
            self._dynamodb.put_item(TableName=self._table, Item=item)


class RedditIngestionRunHistory:
    """Reads run records back, and restores those that are missing; for people, never for the ingestion function.

    Needs `dynamodb:Query`, and `dynamodb:PutItem` to restore. Reading costs a request per 1 MB of records.
    """

    def __init__(self, dynamodb: Any, table: str, environment: str) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._environment = environment

    def manifests(self, subreddit: str) -> set[str]:
        """Return the keys of the manifests whose attempts are recorded."""
        query = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :kind)",
            "ProjectionExpression": "Manifest",
            "ExpressionAttributeValues": {
                ":pk": {"S": _partition(self._environment, subreddit_key(subreddit))},
                ":kind": {"S": "ATTEMPT#"},
            },
        }
        with translated("dynamodb:Query", f"table {self._table}"):
            pages = self._dynamodb.get_paginator("query").paginate(**query)
            return {item["Manifest"]["S"] for page in pages for item in page["Items"]}

    def restore(self, run: RunRecord) -> None:
        """Write the items of an attempt that has none: no figures, and the window's only where no newer one stands."""
        with translated("dynamodb:PutItem", f"table {self._table}"):
            self._dynamodb.put_item(TableName=self._table, Item=_attempt_item(run))
            try:
                self._dynamodb.put_item(
                    TableName=self._table,
                    Item=_window_item(run),
                    ConditionExpression="attribute_not_exists(pk) OR IngestedAtTs <= :this",
                    ExpressionAttributeValues={":this": {"N": str(run.ingested_at_ts)}},
                )
            except self._dynamodb.exceptions.ConditionalCheckFailedException:
                return


def _partition(environment: str, subreddit: str) -> str:
    return f"ENV#{environment}#SUBREDDIT#{subreddit}"


def _attempt_item(run: RunRecord) -> Item:
    return {**_item(run), "sk": {"S": f"ATTEMPT#{run.window.start_ts}#{run.manifest.rpartition('/')[2]}"}}


def _window_item(run: RunRecord) -> Item:
    return {**_item(run), "sk": {"S": f"RUN#{run.window.start_ts}"}}


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
        "pk": {"S": _partition(run.environment, run.subreddit)},
        **{name: {"N": str(value)} for name, value in numbers.items()},
        **{name: {"S": value} for name, value in texts.items()},
    }


def _refresh_item(refresh: RefreshRecord) -> Item:
    numbers = {
        "ObservedAtTs": refresh.observed_at_ts,
        "DueCount": refresh.due,
        "AskedCount": refresh.asked,
        "FoundCount": refresh.found,
        "RescoredCount": refresh.rescored,
        "EditedCount": refresh.edited,
        "RemovedCount": refresh.removed,
        "MissingCount": refresh.missing,
        "DeletionsCount": refresh.deletions,
        "DeletionsDueCount": refresh.deletions_due,
        "NewCommentsCount": refresh.new_comments,
        "RequestsCount": refresh.requests,
        "RemainingCount": refresh.remaining,
    }
    texts = {"Curve": json.dumps([point.to_dict() for point in refresh.curve]), "Reason": refresh.reason}
    return {
        "pk": {"S": _partition(refresh.environment, refresh.subreddit)},
        "sk": {"S": f"REFRESH#{refresh.observed_at_ts}"},
        **{name: {"N": str(value)} for name, value in numbers.items()},
        **{name: {"S": value} for name, value in texts.items()},
    }


def _refresh_figures(refresh: RefreshRecord) -> list[dict[str, Any]]:
    dimensions = [
        {"Name": "Environment", "Value": refresh.environment},
        {"Name": "Subreddit", "Value": refresh.subreddit},
    ]
    figures = {
        "RefreshedItems": refresh.found,
        "DeletionsNoticed": refresh.deletions,
        "DeletionsDue": refresh.deletions_due,
        "CommentsRecovered": refresh.new_comments,
    }
    return [_figure(name, value, dimensions) for name, value in figures.items()]


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
