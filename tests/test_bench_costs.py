"""The costs that the bench tells: right sums of given counters, and nothing counted that has no price."""

from dataclasses import replace

import pytest
from bench.costs import (
    GB,
    HOURS,
    PRICED_BY,
    PRICES,
    STAGE,
    Counters,
    Price,
    Standing,
    bill,
    duration_s,
    item_bytes,
    measure,
    printed,
    quantities,
    standing_in,
)

from .emulator import Deployment

COUNTERS = Counters(
    calls={"s3:PutObject": 10, "ssm:GetParameter": 2, "ssm:PutParameter": 2, "cloudwatch:PutMetricData": 2},
    landed_bytes=GB // HOURS,
    item_bytes=(1_024, 1_025, 10),
    series=10,
    log_bytes=1_000,
    reddit_requests=10,
    rows=500,
    cpu_s=0.2,
)
STANDING = Standing(alarms=7, dashboards=1, secrets=1, memory_mb=512)


def test_calls_are_counted_by_what_they_cost_for_every_hour_of_a_month() -> None:
    used = quantities(COUNTERS, STANDING, month=1)
    assert used["S3 writes"] == 10 * 730
    assert used["SSM standard"] == 4 * 730
    assert used["CloudWatch calls"] == 2 * 730
    assert used["Secrets Manager calls"] == 0
    assert used["Lambda requests"] == 730


def test_a_write_costs_a_unit_for_every_begun_kilobyte() -> None:
    assert quantities(COUNTERS, STANDING, month=1)["DynamoDB writes"] == (1 + 2 + 1) * 730


def test_what_was_landed_stays_and_costs_more_every_month() -> None:
    kept = [quantities(COUNTERS, STANDING, month)["S3 storage"] for month in (1, 2, 13)]
    assert kept == pytest.approx([0.5, 1.5, 12.5], rel=1e-6)


def test_lambda_is_paid_by_memory_and_by_the_time_that_less_memory_makes_longer() -> None:
    small, large = (duration_s(COUNTERS, memory) for memory in (512, 10_240))
    assert small > large > duration_s(replace(COUNTERS, reddit_requests=0), 10_240)
    used = quantities(COUNTERS, STANDING, month=1)
    assert used["Lambda time"] == pytest.approx(small * 0.5 * 730)


def test_a_bill_is_quantity_by_price_and_beyond_the_free_part_never_less_than_nothing() -> None:
    prices = {"much": Price(2.0, 1_000, "calls", free=500), "little": Price(3.0, 1, "alarms", free=10)}
    lines = bill({"much": 4_500, "little": 4}, prices)
    assert (lines["much"].usd, lines["much"].usd_beyond_free) == (9.0, 8.0)
    assert (lines["little"].usd, lines["little"].usd_beyond_free) == (12.0, 0.0)


def test_everything_that_is_used_has_a_price_and_every_price_is_used() -> None:
    assert quantities(COUNTERS, STANDING, month=1).keys() == PRICES.keys()
    with pytest.raises(KeyError, match="a new thing"):
        bill({**quantities(COUNTERS, STANDING, month=1), "a new thing": 1}, PRICES)


def test_every_call_that_the_function_may_make_has_a_price() -> None:
    free = {"s3:AbortMultipartUpload"}  # S3 takes nothing for it
    assert PRICED_BY.keys() == Deployment("", "", "arn").granted().keys() - free
    with pytest.raises(KeyError, match="s3:GetObject"):
        quantities(replace(COUNTERS, calls={"s3:GetObject": 1}), STANDING, month=1)


def test_an_item_weighs_its_names_and_values() -> None:
    assert item_bytes({"pk": {"S": "äb"}, "Count": {"N": "1234"}}) == 2 + 3 + 5 + 4


def test_what_costs_by_the_month_is_counted_in_the_terraform_files() -> None:
    one, four = standing_in(STAGE, 1), standing_in(STAGE, 4)
    assert one.alarms >= 5
    assert four.alarms == one.alarms + 3
    assert one.dashboards == 1
    assert one.memory_mb >= 256


def test_the_table_has_a_row_for_every_price_and_ends_in_the_sums() -> None:
    months = {title: bill(quantities(COUNTERS, STANDING, month), PRICES) for title, month in (("first", 1), ("13", 13))}
    head, *rows = printed(months)
    assert "first" in head
    assert [row[:22].strip() for row in rows[:-2]] == list(PRICES)
    assert rows[-2].split()[-2:] == [f"{sum(line.usd for line in lines.values()):.2f}" for lines in months.values()]


def test_a_measured_hour_counts_what_the_run_did(emulator_port: int) -> None:
    counters = measure(emulator_port, subreddits=2, posts=2, comments=2)
    assert counters.calls["secretsmanager:GetSecretValue"] == 1
    assert counters.calls["ssm:PutParameter"] == counters.calls["cloudwatch:PutMetricData"] == 2
    assert counters.calls["dynamodb:PutItem"] == len(counters.item_bytes) == 4
    assert counters.series == 2 * 3 + 4
    assert counters.landed_bytes > 0 < counters.rows
    assert counters.log_bytes > 0 < counters.cpu_s
