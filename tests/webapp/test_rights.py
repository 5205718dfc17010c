"""Who may open and do what: one table of person, page and relation to the case.

clerk1 completed the first step and is excluded from the second; clerk2 and chief1 may do the second; nurse1 reads
every case; adviser1 was named in a field that lets people in, adviser2 was not; auditor1 only reads, names masked;
owner1 changes the processes, which chief1 approves, and has no part in cases.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from flask import Flask
from freezegun.api import FrozenDateTimeFactory

from engine import comments, concealments, history, identity
from engine.audit import event_logs
from engine.states import EventType
from tests.webapp.conftest import APPLICATION, NOW, Page, People

PEOPLE = ("clerk1", "clerk2", "chief1", "nurse1", "adviser1", "adviser2", "auditor1", "owner1")
ADDRESSES = {
    "the inbox": "GET /",
    "the cases": "GET /cases",
    "the case": "GET /cases/2026-0001",
    "its earlier history": "GET /cases/2026-0001/history?before=2",
    "no earlier history": "GET /cases/2026-0002/history",
    "take the cases out": "POST /cases/export?purpose=x",
    "no case": "GET /cases/2026-0002",
    "the diagram": "GET /cases/2026-0001/diagrams/1/request.bpmn",
    "no diagram": "GET /cases/2026-0001/diagrams/1/other.bpmn",
    "the replay": "GET /cases/2026-0001/replay",
    "the replay as text": "GET /cases/2026-0001/replay/text",
    "its steps": "GET /cases/2026-0001/replay/steps",
    "its form": "GET /cases/2026-0001/replay/form?step=2",
    "no replay": "GET /cases/2026-0002/replay",
    "no steps": "GET /cases/2026-0002/replay/steps",
    "who read it": "GET /cases/2026-0001/readings",
    "who read no case": "GET /cases/2026-0002/readings",
    "the record": "GET /record",
    "the overview": "GET /overview",
    "its diagram": "GET /overview/1.bpmn",
    "no diagram of it": "GET /overview/99.bpmn",
    "the step they may do": "GET /tasks/2",
    "no step": "GET /tasks/99",
    "incidents": "GET /incidents",
    "no incident": "GET /incidents/99",
    "retry no incident": "POST /incidents/99",
    "retry incidents": "POST /incidents/retry?incident=99",
    "the emergency card": "GET /emergency",
    "settings": "GET /settings",
    "choose mail": "POST /settings?address=a@example.jp&mode=daily",
    "keep a filter": "POST /filters?view=cases&name=x&q=y",
    "delete no filter": "POST /filters/99/delete?view=cases",
    "put away no notice": "POST /notices/99",
    "choose a language": "POST /language?to=ja",
    "start": "POST /starts/apply",
    "start nothing": "POST /starts/unknown",
    "complete": "POST /tasks/2?_do=complete&result=ok",
    "claim": "POST /tasks/2/claim",
    "keep a draft": "POST /tasks/2/draft?why=x",
    "give back what nobody took": "POST /tasks/2/release",
    "hand on": "POST /tasks/2/assign?person=clerk2",
    "comment": "POST /cases/2026-0001/comments?text=x",
    "tell": "POST /cases/2026-0001/messages?message=urgent",
    "tell nothing": "POST /cases/2026-0001/messages?message=unknown",
    "the studio": "GET /studio",
    "a version": "GET /studio/versions/1",
    "a file of a version": "GET /studio/versions/1/files/call.form",
    "all files of a version": "GET /studio/versions/1/bundle.zip",
    "no version": "GET /studio/versions/99",
    "no revision": "GET /studio/revisions/99",
    "edit no revision": "GET /studio/revisions/99/edit/call.form",
    "findings of no revision": "GET /studio/revisions/99/findings/call.form",
    "preview for no revision": "POST /studio/revisions/99/preview",
    "try a decision of no revision": "GET /studio/revisions/99/try/deadline.dmn",
    "what scenarios of no revision reached": "GET /studio/revisions/99/coverage/request.bpmn",
    "a new file for no revision": "GET /studio/revisions/99/new/form",
    "make one for no revision": "POST /studio/revisions/99/new/form?key=x&title=x",
    "begin a revision": "POST /studio/revisions?base=1&title=x",
    "take back nothing": "POST /studio/versions/99/take-back?reason=x",
    "upload to nothing": "POST /studio/revisions/99/upload",
    "undo nothing": "POST /studio/revisions/99/reset?name=call.form",
    "take out nothing": "POST /studio/revisions/99/remove?name=call.form",
    "try nothing": "POST /studio/revisions/99/scenarios",
    "approve nothing": "POST /studio/revisions/99/act?_do=approve",
    "save to nothing": "POST /studio/revisions/99/edit/call.form?content=x",
}
TABLE = {
    #                        clerk1 clerk2 chief1 nurse1 adviser1 adviser2 auditor1 owner1
    "the inbox":            (200,   200,   200,   200,   200,     200,     200, 200),
    "the cases":            (200,   200,   200,   200,   200,     200,     200, 200),
    "take the cases out":   (200,   200,   200,   200,   200,     200,     200, 200),
    "the case":             (200,   200,   200,   200,   200,     404,     200, 404),
    "its earlier history":  (200,   200,   200,   200,   200,     404,     200, 404),
    "no earlier history":   (404,   404,   404,   404,   404,     404,     404, 404),
    "no case":              (404,   404,   404,   404,   404,     404,     404, 404),
    "the diagram":          (200,   200,   200,   200,   200,     404,     200, 404),
    "no diagram":           (404,   404,   404,   404,   404,     404,     404, 404),
    "the replay":           (200,   200,   200,   200,   200,     404,     200, 404),
    "the replay as text":   (200,   200,   200,   200,   200,     404,     200, 404),
    "its steps":            (200,   200,   200,   200,   200,     404,     200, 404),
    "its form":             (200,   200,   200,   200,   200,     404,     200, 404),
    "no replay":            (404,   404,   404,   404,   404,     404,     404, 404),
    "no steps":             (404,   404,   404,   404,   404,     404,     404, 404),
    "who read it":          (404,   404,   404,   404,   404,     404,     200, 404),
    "who read no case":     (404,   404,   404,   404,   404,     404,     404, 404),
    "the record":           (404,   404,   404,   404,   404,     404,     200, 404),
    "the step they may do": (403,   200,   200,   403,   403,     404,     403, 404),
    "no step":              (404,   404,   404,   404,   404,     404,     404, 404),
    "incidents":            (404,   404,   200,   200,   404,     404,     404, 404),
    "no incident":          (404,   404,   404,   404,   404,     404,     404, 404),
    "retry no incident":    (404,   404,   404,   404,   404,     404,     404, 404),
    "retry incidents":      (404,   404,   200,   200,   404,     404,     404, 404),
    "the emergency card":   (200, 200, 200, 200, 200, 200, 200, 200),
    "keep a filter":        (200, 200, 200, 200, 200, 200, 200, 200),
    "delete no filter":     (404, 404, 404, 404, 404, 404, 404, 404),
    "put away no notice":   (200, 200, 200, 200, 200, 200, 200, 200),
    "choose a language":    (200, 200, 200, 200, 200, 200, 200, 200),
    "settings":             (200,   200,   200,   200,   200,     200,     200, 200),
    "choose mail":          (200,   200,   200,   200,   200,     200,     200, 200),
    "start":                (200,   200,   403,   403,   403,     403,     403, 403),
    "start nothing":        (404,   404,   404,   404,   404,     404,     404, 404),
    "complete":             (403,   200,   200,   403,   403,     404,     403, 404),
    "claim":                (403,   200,   200,   403,   403,     404,     403, 404),
    "keep a draft":         (403,   200,   200,   403,   403,     404,     403, 404),
    "give back what nobody took":(403, 403, 403, 403, 403, 404, 403, 404),
    "hand on":              (403,   200,   200,   403,   403,     404,     403, 404),
    "comment":              (200,   200,   200,   200,   200,     404,     403, 404),
    "tell":                 (200,   200,   200,   200,   200,     404,     403, 404),
    "tell nothing":         (404,   404,   404,   404,   404,     404,     404, 404),
    "the studio":            (404, 404, 200, 404, 404, 404, 404, 200),
    "a version":             (404, 404, 200, 404, 404, 404, 404, 200),
    "a file of a version":   (404, 404, 200, 404, 404, 404, 404, 200),
    "all files of a version":(404, 404, 200, 404, 404, 404, 404, 200),
    "no version":            (404, 404, 404, 404, 404, 404, 404, 404),
    "no revision":           (404, 404, 404, 404, 404, 404, 404, 404),
    "edit no revision":      (404, 404, 403, 404, 404, 404, 404, 404),
    "findings of no revision": (404, 404, 403, 404, 404, 404, 404, 404),
    "preview for no revision": (404, 404, 403, 404, 404, 404, 404, 404),
    "try a decision of no revision": (404, 404, 404, 404, 404, 404, 404, 404),
    "what scenarios of no revision reached": (404, 404, 404, 404, 404, 404, 404, 404),
    "a new file for no revision": (404, 404, 403, 404, 404, 404, 404, 404),
    "make one for no revision": (404, 404, 403, 404, 404, 404, 404, 404),
    "begin a revision":      (404, 404, 403, 404, 404, 404, 404, 200),
    "take back nothing":     (404, 404, 404, 404, 404, 404, 404, 404),
    "upload to nothing":     (404, 404, 404, 404, 404, 404, 404, 404),
    "undo nothing":          (404, 404, 404, 404, 404, 404, 404, 404),
    "take out nothing":      (404, 404, 404, 404, 404, 404, 404, 404),
    "try nothing":           (404, 404, 404, 404, 404, 404, 404, 404),
    "approve nothing":       (404, 404, 404, 404, 404, 404, 404, 404),
    "save to nothing":       (404, 404, 403, 404, 404, 404, 404, 404),
    "the overview":         (404,   404,   200,   200,   404,     404,     200, 404),
    "its diagram":          (404,   404,   200,   200,   404,     404,     200, 404),
    "no diagram of it":     (404,   404,   404,   404,   404,     404,     404, 404),
}  # fmt: skip
ANSWERS = "//dl[@class='answers']/dt[.='体調']/following-sibling::dd[1]"
ROWS = {page: dict(zip(PEOPLE, row, strict=True)) for page, row in TABLE.items()}
READS = [page for page, address in ADDRESSES.items() if address.startswith("GET")]
WRITES = [page for page in ADDRESSES if page not in READS]


def go(signed_in: People, person: str, address: str) -> Page:
    """The page at the address; a post goes with a token, whether or not a page offers it."""
    method, target = address.split()
    browser = signed_in(person)
    if method == "GET":
        return browser.open(target)
    path, _, query = target.partition("?")
    token = browser.open("/").form("サインアウト")[0].fields["csrf_token"]
    pairs = [tuple(map(unquote, pair.split("=", 1))) for pair in query.split("&") if pair]
    return browser.post(path, [("csrf_token", token), *pairs])


@pytest.mark.parametrize("place", READS)
def test_each_person_opens_just_what_the_table_says(signed_in: People, applied: str, place: str) -> None:
    assert {person: go(signed_in, person, ADDRESSES[place]).status for person in PEOPLE} == ROWS[place]


@pytest.mark.parametrize("place", WRITES)
def test_whoever_the_table_refuses_changes_nothing(signed_in: People, applied: str, place: str) -> None:
    before = signed_in("nurse1").open(f"/cases/{applied}").text
    refused = {person: status for person, status in ROWS[place].items() if status != 200}

    found = {person: go(signed_in, person, ADDRESSES[place]).status for person in refused}

    assert found == refused
    assert signed_in("nurse1").open(f"/cases/{applied}").text == before


@pytest.mark.parametrize(
    ("place", "person"), [(place, person) for place in WRITES for person in PEOPLE if ROWS[place][person] == 200]
)
def test_whoever_the_table_lets_can(signed_in: People, applied: str, place: str, person: str) -> None:
    assert go(signed_in, person, ADDRESSES[place]).status == 200


@pytest.mark.parametrize(
    ("person", "reads"), [("adviser2", False), ("adviser1", True), ("clerk1", True), ("auditor1", True)]
)
def test_the_list_has_just_the_cases_that_can_be_opened(
    signed_in: People, applied: str, person: str, reads: bool
) -> None:
    assert (applied in signed_in(person).open("/cases").text) is reads


def test_a_colleague_loses_sight_of_a_case_that_has_nothing_for_them_any_more(signed_in: People, applied: str) -> None:
    clerk, chief = signed_in("clerk2"), signed_in("chief1")
    assert clerk.open(f"/cases/{applied}").status == 200

    chief.press(chief.open("/tasks/2"), "この内容で終える", {"result": "ok"})

    assert clerk.open(f"/cases/{applied}").status == 404
    assert clerk.open("/tasks/3").status == 404
    assert applied not in clerk.open("/cases").text
    assert applied not in clerk.open("/").text


def test_the_inbox_offers_what_one_may_do_and_nothing_else(signed_in: People, applied: str) -> None:
    offered = {person: signed_in(person).open("/").tasks for person in PEOPLE}

    assert offered == {
        "clerk1": [],
        "clerk2": ["申込みを確かめる"],
        "chief1": ["申込みを確かめる"],
        "nurse1": [],
        "adviser1": [],
        "adviser2": [],
        "auditor1": [],
        "owner1": [],
    }


def test_whom_nothing_waits_for_finds_in_the_inbox_what_to_begin_and_when(signed_in: People) -> None:
    page = signed_in("clerk1").open("/")

    (begin,) = page.document.xpath("//main//section[@aria-labelledby='begin']")
    assert "申込みを始める" in begin.text_content()
    assert page.document.find_class("counts") == page.document.find_class("search") == []
    assert page.document.xpath("//header//button") == []


def test_only_who_may_start_something_has_its_button(signed_in: People) -> None:
    assert {person for person in PEOPLE if "申込みを始める" in signed_in(person).open("/").buttons()} == {
        "clerk1",
        "clerk2",
    }


def test_only_who_may_tell_the_case_something_has_its_button(signed_in: People, applied: str) -> None:
    readers = [person for person in PEOPLE if person != "adviser2"]

    may = {person for person in readers if "急ぐことになった" in signed_in(person).open(f"/cases/{applied}").buttons()}

    assert may == {"clerk1", "clerk2", "chief1", "nurse1", "adviser1"}


def test_a_step_for_everyone_opens_its_case_to_nobody_who_may_not_read_it(signed_in: People, applied: str) -> None:
    adviser, guest = signed_in("adviser1"), signed_in("guest1")
    adviser.press(adviser.open(f"/cases/{applied}"), "急ぐことになった")
    assert guest.open("/").tasks == ["急ぎの連絡をする"]

    page = guest.open("/tasks/3")

    assert page.title == "急ぎの連絡をする"
    assert "座面が割れた" not in page.text
    assert "座面が割れた" in adviser.open("/tasks/3").text
    assert guest.open(f"/cases/{applied}").status == 404
    assert guest.press(page, "この内容で終える", {"note": "連絡しました"}).status == 200
    assert guest.open(f"/cases/{applied}").status == 404


def test_health_is_read_back_only_by_those_it_is_for(signed_in: People, applied: str) -> None:
    read = {person for person in PEOPLE if "腰が痛い" in signed_in(person).open(f"/cases/{applied}").text}

    assert read == {"nurse1"}


def test_a_recorded_health_value_stays_though_who_does_the_next_step_cannot_see_it(
    signed_in: People, applied: str
) -> None:
    chief = signed_in("chief1")
    page = chief.open("/tasks/2")
    assert page.control("condition").value == ""
    assert "すでに記録があります" in page.text

    refreshed = chief.press(page, "表示を更新", {"result": "ok"})
    assert refreshed.control("condition").value == ""
    chief.press(refreshed, "この内容で終える")

    answers = signed_in("nurse1").open(f"/cases/{applied}").document.xpath(ANSWERS)
    assert [answer.text for answer in answers] == ["腰が痛い", "腰が痛い"]


def test_who_does_the_step_can_record_another_health_value(signed_in: People, applied: str) -> None:
    chief = signed_in("chief1")
    rejected = chief.press(chief.open("/tasks/2"), "この内容で終える", {"condition": "well"})
    assert rejected.status == 422
    assert rejected.control("condition").value == "well"

    chief.press(rejected, "この内容で終える", {"result": "ok"})

    answers = signed_in("nurse1").open(f"/cases/{applied}").document.xpath(ANSWERS)
    assert [answer.text for answer in answers] == ["腰が痛い", "よい"]


def test_a_masked_reader_meets_no_name_on_any_page(signed_in: People, asking: Page) -> None:
    clerk = signed_in("clerk1")
    clerk.press(
        asking,
        "この内容で終える",
        {**APPLICATION, "item": "池田さんのいす", "reason": "池田 二葉さんと青木さん、clerk2 の席"},
    )
    signed_in("clerk2").press(signed_in("clerk2").open("/tasks/2"), "引き受ける")
    auditor = signed_in("auditor1")

    texts = [auditor.open(path).document.find(".//main").text_content() for path in ("/", "/cases", "/cases/2026-0001")]

    names = ("青木", "一郎", "池田", "二葉", "上野", "大山", "clerk", "chief1", "adviser1")
    assert [name for name in names if any(name in text for text in texts)] == []
    assert "受付係 1さんが「申込みを書く」を終えました。" in texts[2]
    assert "受付係 2" in texts[2]
    assert "●●●" in texts[2]


WITHOUT_THE_NAME = {
    #                    clerk2 chief1 nurse1 adviser1 auditor1: who meets the name of clerk2, and who does not
    "/cases":                     (1, 0, 1, 0, 0),
    "/cases?q=池田":              (0, 0, 0, 0, 0),
    "/cases/2026-0002":           (1, 0, 1, 0, 0),
    "/cases/2026-0002/replay":    (1, 0, 1, 0, 0),
    "/cases/2026-0002/replay?step=2": (1, 0, 1, 0, 0),
    "/cases/2026-0002/replay/text":   (1, 0, 1, 0, 0),
    "/cases/2026-0002/replay/steps":  (1, 0, 1, 0, 0),
    "/cases/2026-0002/replay/form?step=2": (0, 0, 0, 0, 0),
    "/cases/2026-0002/readings":  (0, 0, 0, 0, 0),
    "/tasks/3":                   (1, 0, 1, 0, 0),
    "/record":                    (0, 0, 0, 0, 1),  # that clerk2 signed in, which is of no case
    "/":                          (0, 0, 0, 0, 0),
}  # fmt: skip
READERS = ("clerk2", "chief1", "nurse1", "adviser1", "auditor1")


@pytest.fixture
def quietly(signed_in: People, applied: str) -> str:
    """The number of a case that clerk2 began, looked at and wrote in, and then asked not to be named."""
    clerk = signed_in("clerk2")
    asking = clerk.press(clerk.open("/"), "申込みを始める")
    clerk.press(clerk.open("/cases/2026-0002"), "コメントを載せる", {"text": "机が低いです", "to": ""})
    assert clerk.press(asking, "この内容で終える", {**APPLICATION, "quiet": "on"}).status == 200
    return "2026-0002"


@pytest.mark.parametrize("path", list(WITHOUT_THE_NAME))
def test_who_asked_not_to_be_named_is_named_only_to_those_it_is_for(
    app: Flask, signed_in: People, quietly: str, path: str
) -> None:
    named = re.compile("池田|二葉|clerk2|受付係 2")

    met = {name: bool(named.search(main(signed_in(name).open(path)))) for name in READERS}

    assert met == {name: bool(is_told) for name, is_told in zip(READERS, WITHOUT_THE_NAME[path], strict=True)}


def main(page: Page) -> str:
    """What the page says of others, without who is signed in; JSON as it stands."""
    found = page.document.xpath("//main")
    return str(found[0].text_content()) if found else page.response.text


def test_the_others_are_told_that_a_name_is_withheld(signed_in: People, quietly: str) -> None:
    for name in ("chief1", "auditor1"):
        page = signed_in(name).open(f"/cases/{quietly}")
        assert "名前を伏せた人が「申込みを書く」を終えました。" in page.text
        assert "机が低いです" in page.text
    assert "池田 二葉さんが「申込みを書く」を終えました。" in signed_in("nurse1").open(f"/cases/{quietly}").text


def test_what_somebody_does_afterwards_is_told_with_their_name(
    signed_in: People, quietly: str, clock: FrozenDateTimeFactory
) -> None:
    clock.tick(60)
    clerk = signed_in("clerk2")
    clerk.press(clerk.open(f"/cases/{quietly}"), "コメントを載せる", {"text": "もう決まりましたか", "to": ""})

    page = signed_in("chief1").open(f"/cases/{quietly}")

    assert "名前を伏せた人がコメントを書きました。" in page.text
    assert "池田 二葉さんがコメントを書きました。" in page.text


def test_that_they_read_the_case_later_is_not_told_with_their_name_either(
    signed_in: People, quietly: str, clock: FrozenDateTimeFactory
) -> None:
    clock.tick(60 * 60)
    signed_in("clerk2").open(f"/cases/{quietly}")

    page = signed_in("auditor1").open(f"/cases/{quietly}/readings")

    assert "11:00" in main(page)
    assert "名前を伏せた人" in main(page)
    assert "受付係 2" not in main(page)


def test_who_is_too_late_is_not_told_the_name_either(signed_in: People, quietly: str) -> None:
    late = go(signed_in, "clerk1", "POST /tasks/3?_do=complete&item=x")

    assert late.status == 409
    assert "名前を伏せた人が 2026年11月24日(火) 10:00 に済ませています" in late.text
    assert "池田" not in main(late)


def test_nobody_learns_from_a_mention_who_is_concealed(app: Flask, signed_in: People, quietly: str) -> None:
    for name, unknown in (("chief1", ("clerk2",)), ("nurse1", ())):
        with app.extensions["mamori"].transaction() as session:
            actor = identity.person(session, name)
            written = comments.write(session, quietly, "@clerk2 どうぞ", actor=actor, at=NOW)
        assert written.unknown == unknown


def test_a_refused_attempt_is_told_without_the_name(signed_in: People, quietly: str) -> None:
    go(signed_in, "clerk2", "POST /tasks/4?_do=complete&result=ok")

    for path in (f"/cases/{quietly}/readings", "/record"):
        page = signed_in("auditor1").open(path)
        assert "名前を伏せた人の操作は受け付けられませんでした" in page.text


def test_an_event_log_has_the_name_only_for_those_it_is_for_and_history_keeps_it(app: Flask, quietly: str) -> None:
    with app.extensions["mamori"].reading() as session:
        people = {name: identity.person(session, name) for name in READERS}
        resources = {
            name: {event.resource for event in event_logs.read(session, quietly, reader=reader)} - {None}
            for name, reader in (*people.items(), ("nobody", None))
        }
        kept = {event.actor for event in history.of_case(session, quietly)} - {None}

    assert resources == {
        "clerk2": {"clerk2"},
        "nurse1": {"clerk2"},
        **{name: {concealments.WITHHELD} for name in ("chief1", "adviser1", "auditor1", "nobody")},
    }
    assert kept == {"clerk2"}


def test_history_keeps_who_tried_what_in_vain(app: Flask, signed_in: People, applied: str) -> None:
    go(signed_in, "clerk1", "POST /tasks/2?_do=complete&result=ok")

    with app.extensions["mamori"].reading() as session:
        refused = [event for event in history.of_case(session, applied) if event.type is EventType.ATTEMPT_REJECTED]
    assert [(event.actor, event.facts["attempt"], event.facts["error"]) for event in refused] == [
        ("clerk1", "tasks.act", "TaskNotYours")
    ]


def test_a_notice_of_somebody_else_stays_unread_and_nothing_is_told_of_it(signed_in: People, applied: str) -> None:
    clerk, chief = signed_in("clerk1"), signed_in("chief1")
    clerk.press(clerk.open(f"/cases/{applied}"), "コメントを載せる", {"text": "@chief1 見てください", "to": ""})
    assert "確認しました" in " ".join(chief.open("/").buttons())

    strangers = {number: go(signed_in, "clerk1", f"POST /notices/{number}").text for number in (1, 99)}

    assert strangers[1] == strangers[99]
    page = chief.open("/")
    assert "確認しました" in " ".join(page.buttons())
    assert "確認しました" not in " ".join(chief.press(page, "確認しました").buttons())
