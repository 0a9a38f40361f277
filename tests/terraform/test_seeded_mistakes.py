"""Every mistake that somebody could make in the Terraform is caught by some check, and this is the list of which.

A check of a stage costs seconds. So mistakes that different assertions catch share a copy of the stages: each must be
found by words that only it provokes. Of the checks only those run that should find them.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest

from .stages import BUCKETS, FUNCTION, REFRESH, STAGES, check, complaints, copied, keep_only, needs_terraform, resources

BUCKETS_TEST, FUNCTION_TEST, FUNCTION_PLAN = "10_s3 test", "20_lambda test", "20_lambda plan"
REFRESH_TEST = "30_refresh test"
PLANNED_BUCKETS = "rules for planned buckets"


@dataclass(frozen=True)
class Mistake:
    """A replacement in one file, the check that fails then, and what it says."""

    what: str
    file: str
    old: str
    new: str
    caught_by: str
    says: str


@dataclass(frozen=True)
class Copy:
    """Mistakes that are made together, and which stages and `run` blocks are needed to find them."""

    mistakes: tuple[Mistake, ...]
    stages: tuple[str, ...] = (FUNCTION,)
    runs: tuple[str, ...] = ()


def _lambda(what: str, file: str, old: str, new: str, says: str) -> Mistake:
    return Mistake(what, f"{FUNCTION}/{file}", old, new, FUNCTION_TEST, says)


def _action_gone(old: str, statement: str, left: str) -> Mistake:
    """Make a mistake of leaving out an action; the check prints every statement with the actions that are left."""
    what = f"permission missing: {old.strip(', ')}"
    return _lambda(what, "iam.tf", old, "", f'"{statement}":[{left}]')


def _schedule(what: str, wrong: str) -> Mistake:
    says = "The schedule is rate(1 hour), rate(2 hours) (the plural from 2 on)"
    return Mistake(what, f"{FUNCTION}/variables.tf", '"rate(1 hour)"', f'"{wrong}"', FUNCTION_PLAN, says)


def _bucket(what: str, old: str, new: str, caught_by: str, says: str) -> Mistake:
    return Mistake(what, f"{BUCKETS}/main.tf", old, new, caught_by, says)


COPIES = {
    "function, schedule and first actions": Copy(
        (
            _lambda(
                "wrong handler",
                "main.tf",
                '"handler.lambda_handler"',
                '"handler.handler"',
                "The handler is handler.handler.",
            ),
            _lambda(
                "environment key missing",
                "main.tf",
                "      MAX_HOURLY_WINDOWS_PER_RUN = tostring(var.max_hourly_windows_per_run)\n",
                "",
                "The function's environment is",
            ),
            _lambda(
                "reserved concurrency gone",
                "main.tf",
                "  reserved_concurrent_executions = 1\n",
                "",
                "Two runs may overlap.",
            ),
            _lambda(
                "log retention gone",
                "main.tf",
                "  name              = local.log_group_name\n  retention_in_days = var.log_retention_days\n",
                "  name = local.log_group_name\n",
                "The log is kept elsewhere or for ever.",
            ),
            _lambda(
                "permission to invoke given to another rule",
                "schedule.tf",
                "source_arn    = aws_cloudwatch_event_rule.reddit_ingestion_schedule.arn",
                'source_arn    = "${aws_cloudwatch_event_rule.reddit_ingestion_schedule.arn}-2"',
                "The schedule may not invoke the function, or others may.",
            ),
            _lambda(
                "dead-letter queue of the function gone",
                "dead_letters.tf",
                "\n  destination_config {\n    on_failure {\n"
                "      destination = aws_sqs_queue.dead_letters.arn\n    }\n  }\n",
                "",
                "Events that the function failed with are lost.",
            ),
            _lambda(
                "dead-letter queue of the schedule gone",
                "schedule.tf",
                "  dead_letter_config {\n    arn = aws_sqs_queue.dead_letters.arn\n  }\n\n",
                "",
                "Events that EventBridge cannot hand over are lost.",
            ),
            _lambda(
                'permission missing: "sqs:SendMessage"',
                "iam.tf",
                '"sqs:SendMessage"',
                "",
                "Lambda may not keep lost events",
            ),
            _action_gone('"logs:CreateLogGroup", ', "WriteOwnLog", '"logs:CreateLogStream","logs:PutLogEvents"'),
            _action_gone('"s3:PutObject", ', "LandObjects", '"s3:AbortMultipartUpload"'),
            _action_gone('"secretsmanager:GetSecretValue"', "ReadRedditKey", ""),
            _action_gone('"ssm:GetParameter", ', "MoveWatermarks", '"ssm:PutParameter"'),
            _action_gone('"dynamodb:PutItem"', "RecordRuns", ""),
            _action_gone('"cloudwatch:PutMetricData"', "PublishMetrics", ""),
        ),
        runs=("function", "schedule_and_dead_letters", "permissions"),
    ),
    "second actions and a wildcard": Copy(
        (
            _action_gone('"logs:CreateLogStream", ', "WriteOwnLog", '"logs:CreateLogGroup","logs:PutLogEvents"'),
            _action_gone(', "s3:AbortMultipartUpload"', "LandObjects", '"s3:PutObject"'),
            _action_gone(', "ssm:PutParameter"', "MoveWatermarks", '"ssm:GetParameter"'),
            _lambda(
                "wildcard action added",
                "iam.tf",
                '["dynamodb:PutItem"]',
                '["dynamodb:PutItem", "dynamodb:*"]',
                '"RecordRuns":["dynamodb:*","dynamodb:PutItem"]',
            ),
        ),
        runs=("permissions",),
    ),
    "last action": Copy(
        (_action_gone(', "logs:PutLogEvents"', "WriteOwnLog", '"logs:CreateLogGroup","logs:CreateLogStream"'),),
        runs=("permissions",),
    ),
    "plural of one hour": Copy((_schedule("plural of one hour", "rate(1 hours)"),)),
    "singular of two hours": Copy((_schedule("singular of two hours", "rate(2 hour)"),)),
    "buckets": Copy(
        (
            _bucket(
                "plain HTTP allowed",
                "attach_deny_insecure_transport_policy = true",
                "attach_deny_insecure_transport_policy = false",
                BUCKETS_TEST,
                "A bucket takes requests over plain HTTP.",
            ),
            _bucket(
                "old TLS allowed",
                "  attach_require_latest_tls_policy      = true # nothing below TLS 1.2\n",
                "",
                BUCKETS_TEST,
                "A bucket takes requests over an old TLS.",
            ),
            _bucket(
                "versioning off",
                "  versioning = {\n    enabled = true\n",
                "  versioning = {\n    enabled = false\n",
                BUCKETS_TEST,
                "A bucket has no versioning.",
            ),
            _bucket(
                "public access opened",
                "block_public_policy     = true",
                "block_public_policy     = false",
                PLANNED_BUCKETS,
                "public access is not blocked",
            ),
            _bucket("encryption changed", '"AES256"', '"aws:kms"', PLANNED_BUCKETS, "objects are not encrypted"),
            _bucket(
                "objects of other accounts allowed",
                '"BucketOwnerEnforced"',
                '"ObjectWriter"',
                PLANNED_BUCKETS,
                "objects may belong to other accounts",
            ),
            _bucket(
                "current objects expire",
                "        expired_object_delete_marker = true\n",
                "        days = 365\n",
                PLANNED_BUCKETS,
                "current objects are deleted or moved",
            ),
        ),
        stages=(BUCKETS,),
        runs=("plain_http_is_denied_and_old_versions_are_kept",),
    ),
    "refresh": Copy(
        (
            Mistake(
                "refresh may delete what it cannot name by version",
                f"{REFRESH}/iam.tf",
                '["s3:DeleteObjectVersion"]',
                '["s3:DeleteObject", "s3:DeleteObjectVersion"]',
                REFRESH_TEST,
                "The function may do more or less than agreed:",
            ),
            Mistake(
                "refresh may list the whole bucket",
                f"{REFRESH}/iam.tf",
                '["${local.reddit_prefix}*"]',
                '["*"]',
                REFRESH_TEST,
                "The function may list or publish elsewhere.",
            ),
            Mistake(
                "two refreshes at a time",
                f"{REFRESH}/main.tf",
                "  reserved_concurrent_executions = 1\n",
                "",
                REFRESH_TEST,
                "Two refreshes may overlap.",
            ),
        ),
        stages=(BUCKETS, FUNCTION, REFRESH),
        runs=("function", "permissions"),
    ),
    "output missing that the next stage reads": Copy(
        (
            Mistake(
                "output missing that the next stage reads",
                f"{BUCKETS}/outputs.tf",
                'output "s3_landing_zone_bucket_arn"',
                'output "s3_landing_bucket_arn"',
                FUNCTION_PLAN,
                'does not have an attribute named "s3_landing_zone_bucket_arn"',
            ),
        ),
        stages=(BUCKETS, FUNCTION),
    ),
    "output missing that nobody reads yet": Copy(
        (
            Mistake(
                "output missing that nobody reads yet",
                f"{BUCKETS}/outputs.tf",
                'output "s3_augmented_zone_bucket_arn"',
                'output "s3_augmented_bucket_arn"',
                BUCKETS_TEST,
                'An output value with the name "s3_augmented_zone_bucket_arn" has not been declared.',
            ),
        ),
        stages=(BUCKETS,),
        runs=("two_buckets_with_the_agreed_names",),
    ),
}

MISTAKES = {mistake.what: mistake for copy in COPIES.values() for mistake in copy.mistakes}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_the_place_of_a_mistake_is_found_exactly_once(mistake: Mistake) -> None:
    assert (STAGES / mistake.file).read_text().count(mistake.old) == 1
    assert mistake.new != mistake.old


@pytest.mark.slow
@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES.keys())
def test_mistakes_are_caught(copy: Copy, tmp_path: Path) -> None:
    needs_terraform()
    folder = copied(tmp_path)
    for mistake in copy.mistakes:
        _make(mistake, folder / "aws" / "us-east-1" / mistake.file)
    keep_only(folder, copy.stages, copy.runs)
    verdict = check(folder)
    said = dict.fromkeys(verdict.failed, verdict.output)
    if BUCKETS in copy.stages:
        said[PLANNED_BUCKETS] = " ".join(complaints(verdict.plans[BUCKETS]))
    missed = [mistake.what for mistake in copy.mistakes if mistake.says not in said.get(mistake.caught_by, "")]
    assert missed == [], verdict.output


def _make(mistake: Mistake, file: Path) -> None:
    text = file.read_text()
    assert text.count(mistake.old) == 1
    file.write_text(text.replace(mistake.old, mistake.new))


def test_the_stages_as_they_are_pass_every_check(tmp_path: Path) -> None:
    needs_terraform()
    verdict = check(copied(tmp_path))
    assert verdict.failed == (), verdict.output
    assert "Warning" not in verdict.output
    assert complaints(verdict.plans[BUCKETS]) == []
    names = {item["values"]["bucket"] for item in resources(verdict.plans[BUCKETS]) if item["type"] == "aws_s3_bucket"}
    assert names == {"tf-prod-smartcomp-lz", "tf-prod-smartcomp-augmented"}
    planned = [item["values"] for plan in verdict.plans.values() for item in resources(plan)]
    tags = [values["tags_all"] for values in planned if "tags_all" in values]
    assert len(tags) > 10
    assert all(each.keys() >= {"Project", "Owner", "Environment", "ManagedBy"} for each in tags)
