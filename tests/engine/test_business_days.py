"""Business days in Japan. Expected dates were counted on the Cabinet Office's list of public holidays."""

from datetime import datetime

import pytest

from engine import business_days, feel

NOW = datetime.fromisoformat("2026-11-24T10:00:00+09:00")


def feel_value(text: str) -> feel.Value:
    expression = feel.parse_expression(text, tuple(business_days.FUNCTIONS))
    return expression.evaluate({}, feel.Environment(now=NOW, functions=business_days.FUNCTIONS))


@pytest.mark.parametrize(
    ("start", "days", "expected"),
    [
        ("2026-11-20", 1, "2026-11-24"),  # Friday; Monday 23rd is Labour Thanksgiving Day
        ("2026-11-24", 5, "2026-12-01"),
        ("2026-11-21", 0, "2026-11-24"),  # Saturday: the next open day
        ("2026-11-24", 0, "2026-11-24"),
        ("2026-12-31", 1, "2027-01-04"),  # 1 January is a holiday, then a weekend
        ("2026-04-28", 1, "2026-04-30"),  # 29 April, Showa Day
        ("2026-05-01", 1, "2026-05-07"),  # weekend, 4-5 May holidays, 6 May in lieu of Sunday the 3rd
        ("2026-09-18", 1, "2026-09-24"),  # 21 and 23 September holidays, and the 22nd between them
        ("2026-11-24", -1, "2026-11-20"),
    ],
)
def test_business_days_skip_weekends_and_public_holidays(start, days, expected):
    assert feel_value(f'add business days(date("{start}"), {days})') == feel_value(f'date("{expected}")')


def test_a_date_and_time_keeps_its_time_of_day_and_its_offset():
    value = feel_value('add business days(date and time("2026-11-20T16:30:00+09:00"), 1)')

    assert value == feel_value('date and time("2026-11-24T16:30:00+09:00")')


def test_a_named_zone_is_kept():
    value = feel_value('add business days(date and time("2026-11-20T16:30:00@Asia/Tokyo"), 1)')

    assert value == feel_value('date and time("2026-11-24T16:30:00@Asia/Tokyo")')
    assert feel.to_text(value) == "2026-11-24T16:30:00@Asia/Tokyo"


def test_holidays_are_no_business_days():
    assert feel_value('is business day(date("2026-11-23"))') is False
    assert feel_value('is business day(date("2026-11-24"))') is True
    assert feel_value('next business day(date("2026-11-20"))') == feel_value('date("2026-11-24")')


@pytest.mark.parametrize(
    "call", ['add business days("soon", 1)', 'add business days(date("2026-11-24"), 100000)', "is business day(null)"]
)
def test_what_is_no_date_or_too_far_away_is_null(call):
    assert feel_value(call) is None
