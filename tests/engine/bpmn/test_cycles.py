"""Repeating timers: ISO 8601 and cron; on schedule however late they are served, and what was missed is told."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from freezegun import freeze_time

from engine import bpmn as engine_bpmn
from engine.bpmn.cron import Cron
from engine.bpmn.cycles import Schedule, read_cycle
from engine.bpmn.errors import ElementFault

from .conftest import NOW, Run, document, flows

JST = ZoneInfo("Asia/Tokyo")
START, END = '<bpmn:startEvent id="s"/>', '<bpmn:endEvent id="e"/>'
Deploy = Callable[..., Run]


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+09:00")


def timer(cycle: str) -> str:
    return f"<bpmn:timerEventDefinition><bpmn:timeCycle>{cycle}</bpmn:timeCycle></bpmn:timerEventDefinition>"


def at_boundary(cycle: str) -> str:
    event = f'<bpmn:boundaryEvent id="x" attachedToRef="a" cancelActivity="false">{timer(cycle)}</bpmn:boundaryEvent>'
    body = f'{START}<bpmn:userTask id="a"/>{event}<bpmn:userTask id="told"/>{END}'
    return body + flows("s -> a", "a -> e", "x -> told", "told -> e")


def in_event_subprocess(cycle: str) -> str:
    start = f'<bpmn:startEvent id="xs" isInterrupting="false">{timer(cycle)}</bpmn:startEvent>'
    inner = f'{start}<bpmn:userTask id="told"/><bpmn:endEvent id="xe"/>{flows("xs -> told", "told -> xe")}'
    outer = f'<bpmn:subProcess id="x" triggeredByEvent="true">{inner}</bpmn:subProcess>'
    return f'{START}<bpmn:userTask id="a"/>{outer}{END}' + flows("s -> a", "a -> e")


PLACES = {"boundary": at_boundary, "event subprocess": in_event_subprocess}


def due(run: Run) -> list[datetime]:
    return [job.due for job in run.jobs.values()]


def served(run: Run, moment: datetime) -> int:
    """The timer is served at this moment; how many firings it missed."""
    assert moment >= due(run)[0]
    run.now = moment
    advance = run.take(engine_bpmn.FireTimer(run.token(run.jobs, "x")))
    assert [missed.place.element for missed in advance.missed_timers] in ([], ["x"])
    return sum(missed.count for missed in advance.missed_timers)


@pytest.mark.parametrize("place", PLACES)
def test_a_timer_that_is_served_late_keeps_to_its_schedule(anywhere: Deploy, place: str) -> None:
    run = anywhere(PLACES[place]("R/PT1H")).start()
    assert due(run) == [at("2026-11-24T11:00:00")]

    assert served(run, at("2026-11-24T11:20:00")) == 0
    assert due(run) == [at("2026-11-24T12:00:00")]
    assert served(run, at("2026-11-24T12:59:59")) == 0

    assert due(run) == [at("2026-11-24T13:00:00")]
    assert run.open == ["a", "told", "told"]


@pytest.mark.parametrize("place", PLACES)
def test_firings_that_were_missed_are_one_firing_and_are_told(anywhere: Deploy, place: str) -> None:
    run = anywhere(PLACES[place]("R/PT1H")).start()

    assert served(run, at("2026-11-24T15:30:00")) == 4  # for 11:00, and 12:00, 13:00, 14:00, 15:00 with it

    assert run.open == ["a", "told"]
    assert due(run) == [at("2026-11-24T16:00:00")]


@pytest.mark.parametrize("place", PLACES)
def test_what_was_missed_counts_among_the_times_a_cycle_has(anywhere: Deploy, place: str) -> None:
    partly = anywhere(PLACES[place]("R3/PT1H")).start()
    assert served(partly, at("2026-11-24T12:30:00")) == 1
    assert served(partly, at("2026-11-24T13:00:00")) == 0
    assert (partly.jobs, partly.open) == ({}, ["a", "told", "told"])

    wholly = anywhere(PLACES[place]("R3/PT1H")).start()
    assert served(wholly, at("2026-12-24T12:30:00")) == 2
    assert (wholly.jobs, wholly.open) == ({}, ["a", "told"])


@pytest.mark.parametrize("place", PLACES)
def test_a_cycle_may_begin_at_a_date(anywhere: Deploy, place: str) -> None:
    run = anywhere(PLACES[place]("R2/2026-12-01T09:00:00+09:00/P1D")).start()
    assert due(run) == [at("2026-12-01T09:00:00")]

    assert served(run, at("2026-12-01T09:10:00")) == 0
    assert due(run) == [at("2026-12-02T09:00:00")]
    assert served(run, at("2026-12-02T09:00:00")) == 0

    assert run.jobs == {}


def test_a_cycle_of_months_keeps_to_the_day_where_the_month_has_it(anywhere: Deploy) -> None:
    run = anywhere(at_boundary("R/2027-01-31T09:00:00+09:00/P1M")).start()

    days = []
    for _ in range(5):
        days.append(due(run)[0].date().isoformat())
        served(run, due(run)[0] + timedelta(minutes=1))

    assert days == ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30", "2027-05-31"]
    assert served(run, at("2027-12-01T00:00:00")) == 5  # for June, and July to November with it
    assert due(run) == [at("2027-12-31T09:00:00")]


@pytest.mark.parametrize("place", PLACES)
def test_a_cron_timer_is_due_at_its_times_in_japan(anywhere: Deploy, place: str) -> None:
    run = anywhere(PLACES[place]("0 0 9 * * MON-FRI")).start()
    assert due(run) == [at("2026-11-25T09:00:00")]  # the 24th is a Tuesday, and it is ten

    assert served(run, at("2026-11-25T09:00:01")) == 0
    assert served(run, at("2026-11-26T09:00:00")) == 0
    assert due(run) == [at("2026-11-27T09:00:00")]
    assert served(run, at("2026-12-01T08:59:59")) == 1  # for Friday, and Monday with it

    assert due(run) == [at("2026-12-01T09:00:00")]


@pytest.mark.parametrize("place", PLACES)
def test_a_cycle_may_come_from_feel_and_is_fixed_when_it_is_armed(anywhere: Deploy, place: str, bpmn: Any) -> None:
    run = anywhere(PLACES[place]('="R/" + interval')).start(interval="PT1H")
    run.take(bpmn.ChangeVariables({"interval": "PT5M"}))

    served(run, at("2026-11-24T11:00:00"))

    assert due(run) == [at("2026-11-24T12:00:00")]


@pytest.mark.parametrize("interval", ["PT0S", "-PT1H", "nonsense", "P9999999999999999999D", "PT1H/x"])
def test_a_cycle_from_feel_that_is_none_is_a_fault_where_it_would_be_armed(anywhere: Deploy, interval: str) -> None:
    run = anywhere(at_boundary('="R/" + interval')).start(interval=interval)

    assert [fault.place.element for fault in run.faults.values()] == ["a"]


def test_the_wall_clock_a_year_ahead_fires_nothing_and_changes_nothing(anywhere: Deploy, bpmn: Any) -> None:
    body = at_boundary("R/PT1H")
    late = "<bpmn:timerEventDefinition><bpmn:timeDuration>PT1H</bpmn:timeDuration></bpmn:timerEventDefinition>"
    body += f'<bpmn:boundaryEvent id="late" attachedToRef="a">{late}</bpmn:boundaryEvent>' + flows("late -> told")
    run, today = anywhere(body).start(), None
    assert run.snapshot is not None

    with freeze_time(NOW + timedelta(days=366)):
        ahead = bpmn.advance(run.bundle, run.snapshot, bpmn.ChangeVariables({"x": "1"}), run.now)
    today = bpmn.advance(run.bundle, run.snapshot, bpmn.ChangeVariables({"x": "1"}), run.now)

    assert ahead == today
    assert (ahead.moves, ahead.wanted_jobs, ahead.dropped_jobs) == ((), (), ())
    assert len(run.jobs) == 2


def test_a_timer_armed_by_an_earlier_release_keeps_its_schedule_from_its_next_firing(bpmn: Any) -> None:
    bundle = bpmn.compile_bundle({"process.bpmn": document(at_boundary("R3/PT1H"))}, {}, (), ())
    earlier = bpmn.advance(bundle, None, bpmn.Start("process", "2026-0001", {}), NOW, 1)
    (job,) = earlier.wanted_jobs
    fire = bpmn.FireTimer(job.place.token)

    first = bpmn.advance(bundle, earlier.snapshot, fire, at("2026-11-24T11:30:00"))
    assert [wanted.due for wanted in first.wanted_jobs if wanted.kind == "timer"] == [at("2026-11-24T12:30:00")]
    second = bpmn.advance(bundle, first.snapshot, fire, at("2026-11-24T12:45:00"))
    assert [wanted.due for wanted in second.wanted_jobs if wanted.kind == "timer"] == [at("2026-11-24T13:30:00")]
    third = bpmn.advance(bundle, second.snapshot, fire, at("2026-11-24T13:30:00"))
    assert [wanted.due for wanted in third.wanted_jobs if wanted.kind == "timer"] == []

    drifting = bpmn.advance(bundle, earlier.snapshot, fire, at("2026-11-24T11:30:00"), 1)
    drifting = bpmn.advance(bundle, drifting.snapshot, fire, at("2026-11-24T12:45:00"), 1)
    assert [wanted.due for wanted in drifting.wanted_jobs] == [at("2026-11-24T13:45:00")]


def test_the_schedule_of_a_cycle_ends_with_the_calendar() -> None:
    schedule = Schedule.begin("R/9999-12-31T23:00:00+09:00/PT1H", NOW)

    assert schedule.fired(at("9999-12-31T23:00:00")) == (None, 0)


# Cron, by itself --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        ("0 0 * * * *", "2026-11-24T10:00:00", "2026-11-24T11:00:00"),
        ("*/10 * * * * *", "2026-11-24T10:00:05", "2026-11-24T10:00:10"),
        ("0 0 8-10 * * *", "2026-11-24T10:00:01", "2026-11-25T08:00:00"),
        ("0 0/30 8-10 * * *", "2026-11-24T10:00:01", "2026-11-24T10:30:00"),
        ("0 0 9-17 * * MON-FRI", "2026-11-27T17:30:00", "2026-11-30T09:00:00"),
        ("0 0 0 25 DEC ?", "2026-11-24T10:00:00", "2026-12-25T00:00:00"),
        ("0 0 12 29 2 *", "2026-11-24T10:00:00", "2028-02-29T12:00:00"),
        ("0 0 12 13 * FRI", "2026-11-24T10:00:00", "2027-08-13T12:00:00"),
        ("0 0 0 * * 7", "2026-11-24T10:00:00", "2026-11-29T00:00:00"),
        ("0 0 0 * * SUN-TUE", "2026-11-24T10:00:00", "2026-11-29T00:00:00"),
        ("0 0 0 * * FRI-SUN", "2026-11-24T10:00:00", "2026-11-27T00:00:00"),
        ("0 15,45 1 1,15 * *", "2026-12-01T01:15:00", "2026-12-01T01:45:00"),
        ("@monthly", "2026-11-24T10:00:00", "2026-12-01T00:00:00"),
        ("@weekly", "2026-11-24T10:00:00", "2026-11-29T00:00:00"),
        ("@hourly", "2026-11-24T10:59:59", "2026-11-24T11:00:00"),
        ("@yearly", "2026-11-24T10:59:59", "2027-01-01T00:00:00"),
    ],
)
def test_cron_finds_its_next_time(text: str, after: str, expected: str) -> None:
    cron = Cron.read(text)

    assert cron.next_after(at(after)) == at(expected)
    assert cron.next_after(at(after).astimezone(UTC)) == at(expected)


FAULTS = ["", "* * * * *", "60 * * * * *", "0 0 24 * * *", "0 0 0 0 * *", "0 0 0 31 2 *", "0 0 0 * 13 *", "0 0 0 * * 8"]
FAULTS += ["0 0 0 L * *", "0 0 0 * * MON#1", "0 0 0 15W * *", "? 0 0 * * *", "0 */0 * * * *", "0 10-5 * * * *", "x"]
FAULTS += ["0 0 0 * FOO *", "0 0 0 1,, * *", "@reboot", "0 -1 * * * *", "0 0 0 MON * *"]


@pytest.mark.parametrize("text", FAULTS)
def test_what_is_no_cron_expression_or_never_comes_is_told(text: str) -> None:
    with pytest.raises(ElementFault):
        Cron.read(text)


@pytest.mark.parametrize("text", ["0 */7 8-18/3 * * MON,WED", "5,50 59 23 28-31 * *", "*/20 0 * * 2,11,12 ?"])
def test_cron_counts_and_finds_what_a_walk_over_every_second_finds(text: str) -> None:
    """The walk tests each moment by the fields as text, and knows nothing of how the next one is computed."""
    cron, rnd = Cron.read(text), random.Random(text)

    for _ in range(6):
        begin = datetime(2026, 11, 27, tzinfo=JST) + timedelta(seconds=rnd.randrange(6 * 86_400))
        length = rnd.randrange(40_000)
        fitting = [
            moment
            for moment in (begin + timedelta(seconds=second) for second in range(1, length + 1))
            if fits(text, moment)
        ]
        assert cron.count(begin, begin + timedelta(seconds=length)) == len(fitting)
        if fitting:
            assert cron.next_after(begin) == fitting[0]


def fits(text: str, moment: datetime) -> bool:
    second, minute, hour, day, month, weekday = text.split()
    week = dict(zip(("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"), range(1, 8), strict=True))
    fields = (
        (second, moment.second, 59),
        (minute, moment.minute, 59),
        (hour, moment.hour, 23),
        (day, moment.day, 31),
        (month, moment.month, 12),
    )
    on_weekday = weekday in "*?" or moment.isoweekday() in [week[name] for name in weekday.split(",")]
    return on_weekday and all(any(within(part, n, most) for part in f.split(",")) for f, n, most in fields)


def within(part: str, number: int, most: int) -> bool:
    span, _, step = part.partition("/")
    low, _, high = span.replace("*", f"0-{most}").partition("-")
    return int(low) <= number <= int(high or low) and (number - int(low)) % int(step or 1) == 0


@pytest.mark.parametrize(
    "cycle", ["R0/PT1H", "R/PT0S", "R3", "R3/2026-12-01", "R3/PT1H/2026-12-01T00:00:00Z", "R3/x/P1D"]
)
def test_what_is_no_repetition_is_told(cycle: str) -> None:
    with pytest.raises(ElementFault):
        read_cycle(cycle)


@pytest.mark.parametrize("cycle", ["R/PT1H", "R5/P1M", "R/2026-11-30T23:00:00Z/P1D", "0 0 9 * * MON"])
def test_however_a_schedule_is_served_it_fires_at_the_times_it_has_from_the_beginning(cycle: str) -> None:
    """Firings and misses together are the occurrences that a prompt service would have fired."""
    rnd = random.Random(cycle)
    for _ in range(20):
        prompt: list[datetime] = []
        schedule: Schedule | None = Schedule.begin(cycle, NOW)
        while schedule is not None and len(prompt) < 60:
            prompt.append(schedule.due)
            schedule, _ = schedule.fired(schedule.due)
        late, count = Schedule.begin(cycle, NOW), 0
        while late is not None and count < 40:
            assert late.due == prompt[count]
            late, missed = late.fired(late.due + timedelta(hours=rnd.choice([0, 0, 1, 30, 200, 900])))
            count += 1 + missed
            if count >= len(prompt):
                break
