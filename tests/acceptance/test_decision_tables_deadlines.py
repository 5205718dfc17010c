"""DT-07: until when, who is told afterwards, and why; dates counted by hand on the calendar of 2026 and 2027."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine import dmn, feel

FILE = Path(__file__).parents[2] / "processes" / "harassment-response" / "deadlines.dmn"
DEADLINES = dmn.read(FILE.read_bytes())
TOKYO = ZoneInfo("Asia/Tokyo")
# Public holidays on weekdays between November 2026 and January 2027 (law on national holidays).
HOLIDAYS = {date(2026, 11, 3), date(2026, 11, 23), date(2027, 1, 1), date(2027, 1, 11)}
LEVEL = (None, 0, 1, 2, 3, 4)
CARE = (None, "C0", "C1", "C2", "C3", "C4")
CHANNEL = (None, "phone", "sns")


def is_open(day: date) -> bool:
    return day.weekday() < 5 and day not in HOLIDAYS


def is_business_day(date: feel.DateTime) -> bool:
    return is_open(date.to_python().date())


def add_business_days(from_: feel.DateTime, n: Decimal) -> datetime:
    moment, left = from_.to_python(), int(n)
    while left or not is_open(moment.date()):
        moment += timedelta(days=1)
        left -= left > 0 and is_open(moment.date())
    return moment


HOST: Mapping[str, Callable[..., object]] = {"add business days": add_business_days, "is business day": is_business_day}


def jst(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=TOKYO)


def outcome(event: str | None, opened: str, others: Mapping[str, object]) -> dmn.Outcome:
    values = {name: feel.from_python(value) for name, value in others.items()}
    given = {"event": event, "opened_at": feel.from_python(jst(opened))} | values
    return DEADLINES.evaluate("DT_07_deadline", given, feel.Environment(jst(opened), HOST))


def deadline(event: str, opened: str, **others: object) -> Any:
    found = outcome(event, opened, others)
    assert found.faults == ()
    return found.value


# Tuesday 2026-11-17 10:00; Monday the 23rd is a holiday. Rows of the domain: event, other inputs, due, escalation.
ROWS: tuple[tuple[str, dict[str, object], str, str], ...] = (
    ("emergency_call", {}, "2026-11-17 10:00", ""),
    ("first_response", {}, "2026-11-17 23:59", "supervisor"),
    ("supervisor_report", {}, "2026-11-17 11:00", "desk"),
    ("quick_report", {"level": 3}, "2026-11-17 14:00", "head"),
    ("quick_report", {"level": 4}, "2026-11-17 11:00", "head"),
    ("care_contact", {"level": 0}, "2026-11-18 10:00", "hr executive"),
    ("care_contact", {"level": 3}, "2026-11-18 10:00", "hr executive"),
    ("care_contact", {"level": 4}, "2026-11-17 12:00", "executive"),
    ("separation", {"level": 2}, "2026-11-17 18:00", "head"),
    ("evidence_preserve", {"channel": "phone"}, "2026-11-18 10:00", "head"),
    ("evidence_preserve", {"channel": "sns"}, "2026-11-17 12:00", "head"),
    ("fact_finding", {"level": 2}, "2026-11-25 10:00", "head"),
    ("fact_finding", {"level": 3}, "2026-11-20 10:00", "executive"),
    ("determination", {}, "2026-11-19 10:00", "head"),
    ("decision", {"level": 2}, "2026-11-18 10:00", "head"),
    ("decision", {"level": 3}, "2026-11-18 10:00", "executive"),
    ("legal_review", {"level": 3}, "2026-11-20 10:00", "executive"),
    ("legal_review", {"level": 4}, "2026-11-18 10:00", "executive"),
    ("notice_issue", {}, "2026-11-19 10:00", "head"),
    ("legit_lane_reply", {}, "2026-11-25 10:00", "supervisor"),
    ("objection_reply", {}, "2026-12-02 10:00", "executive"),
    ("consult_ack", {}, "2026-11-17 23:59", "hr"),
    ("care_followup_1", {"care_level": "C1"}, "2026-11-24 10:00", "hr"),
    ("care_followup_2", {"care_level": "C2"}, "2026-12-17 10:00", "hr"),
    ("care_followup_3", {"care_level": "C2"}, "2027-02-17 10:00", "hr"),
    ("case_review", {"level": 2}, "2026-12-16 10:00", "head"),
    ("breach_report", {}, "2026-11-20 10:00", "executive"),
    ("breach_final_report", {}, "2026-12-17 10:00", "executive"),
    ("breach_final_report_malicious", {}, "2027-01-16 10:00", "executive"),
    ("pending_review", {}, "2026-11-25 10:00", "head"),
    ("complaint_deadline", {}, "2027-05-17 23:59", "head legal"),
    ("complaint_first_warning", {}, "2027-02-17 10:00", "head legal"),
    ("complaint_second_warning", {}, "2027-04-17 10:00", "head legal"),
    ("identify_demand", {}, "2026-11-18 10:00", "supervisor"),
    ("liaison", {"level": 4}, "2026-11-17 23:59", "executive"),
    ("liaison", {"level": 3}, "2026-11-20 10:00", "executive"),
    ("care_plan", {}, "2026-11-19 10:00", "hr"),
    ("care_referral", {"care_level": "C2"}, "2026-11-20 10:00", "hr"),
    ("care_referral", {"care_level": "C3"}, "2026-11-17 23:59", "hr"),
    ("care_referral", {"care_level": "C4"}, "2026-11-17 23:59", "hr"),
    ("effect_check", {}, "2026-11-24 10:00", "head"),
    ("closure", {}, "2026-11-17 23:59", "head"),
)
EVENTS = sorted({event for event, *_ in ROWS})
# The events that user tasks name (dictionary, section 5).
DUE_EVENTS = """first_response emergency_call identify_demand legit_lane_reply supervisor_report quick_report
    evidence_preserve fact_finding determination decision notice_issue effect_check legal_review liaison
    objection_reply case_review closure separation care_contact care_plan care_referral care_followup_1
    care_followup_2 care_followup_3"""


@pytest.mark.parametrize(("event", "others", "due", "escalate_to"), ROWS)
def test_a_deadline_is_that_of_the_domains_row(
    event: str, others: dict[str, object], due: str, escalate_to: str
) -> None:
    found = deadline(event, "2026-11-17 10:00", **others)

    assert found["due"].to_python() == jst(due)
    assert found["escalate_to"] == escalate_to.split()
    assert found["due_reason"]


@pytest.mark.parametrize(
    ("opened", "due"),
    [
        ("2026-11-20 00:00", "2026-11-20 23:59"),  # Friday
        ("2026-11-20 15:59", "2026-11-20 23:59"),
        ("2026-11-20 16:00", "2026-11-24 12:00"),  # a weekend and the holiday of Monday lie between
        ("2026-11-21 09:00", "2026-11-24 12:00"),  # Saturday
        ("2026-11-23 09:00", "2026-11-24 12:00"),  # Monday, a holiday
        ("2026-12-31 17:00", "2027-01-04 12:00"),  # Thursday; New Year's Day is a Friday
        ("2027-01-01 09:00", "2027-01-04 12:00"),
    ],
)
def test_a_first_response_is_due_the_same_day_or_at_noon_of_the_next_business_day(opened: str, due: str) -> None:
    assert deadline("first_response", opened)["due"].to_python() == jst(due)


@pytest.mark.parametrize(
    ("event", "level", "opened", "due"),
    [
        ("fact_finding", 2, "2026-11-19 15:30", "2026-11-27 15:30"),  # 20, 24, 25, 26, 27
        ("fact_finding", 4, "2026-11-19 15:30", "2026-11-25 15:30"),  # 20, 24, 25
        ("decision", 1, "2026-11-22 09:00", "2026-11-24 09:00"),  # Sunday before the holiday
        ("legal_review", 4, "2026-12-31 11:00", "2027-01-04 11:00"),
        ("objection_reply", 2, "2026-12-25 10:00", "2027-01-12 10:00"),  # 28-31, 4-8, then the 11th is a holiday
        ("case_review", 1, "2026-12-21 10:00", "2027-01-20 10:00"),  # 22-25, 28-31, 4-8, 12-15, 18-20
        ("closure", 1, "2026-11-21 10:00", "2026-11-24 23:59"),
        ("closure", 1, "2026-12-31 23:00", "2026-12-31 23:59"),
        ("care_contact", 4, "2026-12-31 23:00", "2027-01-01 01:00"),
        ("separation", 4, "2026-11-22 20:00", "2026-11-23 04:00"),
        ("liaison", 4, "2026-11-23 09:00", "2026-11-23 23:59"),
        ("care_followup_2", 2, "2027-01-31 09:00", "2027-02-28 09:00"),
    ],
)
def test_business_days_skip_weekends_and_holidays_and_hours_do_not(
    event: str, level: int, opened: str, due: str
) -> None:
    assert deadline(event, opened, level=level)["due"].to_python() == jst(due)


def test_every_event_that_a_user_task_names_has_a_row() -> None:
    assert set(DUE_EVENTS.split()) <= set(EVENTS)


@pytest.mark.parametrize("event", EVENTS)
def test_exactly_one_rule_fits_whatever_is_known(event: str) -> None:
    for level, care, channel, opened in product(LEVEL, CARE, CHANNEL, ("2026-11-17 10:00", "2026-11-23 10:00")):
        others = {"level": level, "care_level": care, "channel": channel}

        found = outcome(event, opened, others)

        (rules,) = [each.rules for each in found.evaluations if each.decision_id == "DT_07_limit"]
        assert found.faults == (), others
        assert len(rules) == 1, others


def test_every_rule_can_be_reached() -> None:
    table = DEADLINES.decisions["DT_07_limit"].logic
    assert isinstance(table, dmn.DecisionTable)
    asked = [("2026-11-17 10:00", event, others) for event, others, *_ in ROWS]

    used = {
        rule.index
        for opened, event, others in [*asked, ("2026-11-23 10:00", "first_response", {})]
        for each in outcome(event, opened, others).evaluations
        for rule in each.rules
    }

    assert used == {rule.index for rule in table.rules}


def test_the_provisional_level_counts_until_there_is_a_confirmed_one() -> None:
    opened = "2026-11-17 10:00"

    assert deadline("quick_report", opened, provisional_level=4) == deadline("quick_report", opened, level=4)
    assert deadline("quick_report", opened, level=2, provisional_level=4) == deadline("quick_report", opened, level=2)


@pytest.mark.parametrize(
    "event", ["quick_report", "care_contact", "fact_finding", "decision", "legal_review", "liaison"]
)
def test_an_unknown_level_has_the_ordinary_deadline(event: str) -> None:
    opened = "2026-11-17 10:00"

    assert deadline(event, opened) == deadline(event, opened, level=1)


def test_an_event_that_nobody_declared_is_a_fault() -> None:
    assert outcome("someday", "2026-11-17 10:00", {}).faults


def test_without_an_event_there_is_no_deadline() -> None:
    found = outcome(None, "2026-11-17 10:00", {})

    assert (found.value, found.faults) == (None, ())
