"""The studio without JavaScript: write, try, approve, deploy, take back; files in and out; what is broken is told."""

from __future__ import annotations

import io
import json
import re
import time
import zipfile
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from engine import bundle_files, deployments
from engine.studio import revisions
from tests.engine.studio.test_coverage import DEADLINES
from tests.webapp.conftest import BUNDLE, Browser, Page, People

FILES = deployments.read_folder(BUNDLE)
REVISION = "/studio/revisions/1"


@pytest.fixture
def owner(signed_in: People) -> Browser:
    return signed_in("owner1")


@pytest.fixture
def begun(owner: Browser) -> Page:
    """A new revision, open before owner1."""
    return owner.press(owner.open("/studio"), "改訂案を始める", {"title": "言い方をそろえる"})


def edited(owner: Browser, name: str, old: str, new: str) -> Page:
    page = owner.open(f"{REVISION}/edit/{name}")
    text = page.control("content").text.removeprefix("\n")
    assert old in text
    return owner.press(page, "保存", {"content": text.replace(old, new)})


def uploaded(browser: Browser, page: Page, *files: tuple[str, bytes], only: bool = False) -> Page:
    form, _ = page.form("アップロードする")
    fields = {name: form.fields[name] for name in ("csrf_token", "version")}
    data = {
        **fields,
        "files": [(io.BytesIO(content), name) for name, content in files],
        **({"only": "yes"} if only else {}),
    }
    return Page(sent(browser, form.get("action"), data))


def sent(browser: Browser, path: str, data: dict[str, object]) -> TestResponse:
    """The answer to a post of files, whose spool (a file on the disk if it is large) is closed again."""
    response = browser.client.post(path, data=data, follow_redirects=True)
    for each in (response, *response.history):
        each.request.environ["wsgi.input"].close()
    return response


def scenarios_run(browser: Browser, page: Page) -> Page:
    page = browser.press(page, "シナリオを実行する")
    for _ in range(200):
        if "実行しています" not in page.text:
            return page
        time.sleep(0.05)
        page = browser.open(REVISION)
    raise AssertionError(page.text)


def present(app: Flask) -> dict[str, bytes]:
    with app.extensions["mamori"].reading() as session:
        return revisions.files(session, 1)


def zipped(files: dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return written.getvalue()


def test_only_those_concerned_have_the_link(signed_in: People) -> None:
    people = ("clerk1", "chief1", "owner1", "both1", "auditor1")
    assert [name for name in people if "プロセス" in signed_in(name).open("/").links()] == ["chief1", "owner1", "both1"]


def test_a_change_is_written_tried_approved_deployed_and_taken_back(signed_in: People, begun: Page) -> None:
    owner, chief = signed_in("owner1"), signed_in("chief1")
    assert "まだ何も変えていません" in begun.text
    assert "保存しました" in edited(owner, "review.form", "見直す理由", "見直したい理由").text

    page = owner.open(REVISION)
    assert "項目「見直す理由」の見出しを 「見直す理由」 から 「見直したい理由」 に変えます。" in page.text
    assert "直すところはありません" in page.text
    page = scenarios_run(owner, page)
    assert "1 件すべてが、シナリオのとおりになりました。" in page.text
    page = owner.press(page, "承認をお願いする", {"reason": "言い方をそろえるため"})
    assert "承認待ち" in page.text
    assert "承認する" not in page.buttons()

    page = chief.press(chief.open(REVISION), "承認する")
    assert "承認済み" in page.text
    page = owner.press(owner.open(REVISION), "配備する")
    assert "配備しました" in page.text
    library = owner.open("/studio").text
    assert "新しい事案は、第 2 版で始まります" in library
    assert "言い方をそろえるため" in library
    assert "承認: 上野 三津" in library
    assert "見直したい理由" in owner.open("/studio/versions/2").text

    page = chief.press(chief.open("/studio/versions/1"), "この版に戻す", {"reason": "元のほうが分かりやすかった"})
    assert page.address == "/studio/versions/3"
    assert "第 1 版に戻したもの" in page.text


def test_a_handler_sees_the_new_field_in_a_new_case_and_the_old_form_in_an_old_one(
    signed_in: People, applied: str
) -> None:
    owner, chief, clerk = signed_in("owner1"), signed_in("chief1"), signed_in("clerk1")
    owner.press(owner.open("/studio"), "改訂案を始める", {"title": "品名"})
    edited(owner, "application.form", '"label": "品名"', '"label": "ほしい物"')
    scenarios_run(owner, owner.open(REVISION))
    owner.press(owner.open(REVISION), "承認をお願いする", {"reason": "やさしい言葉に"})
    chief.press(chief.open(REVISION), "承認する")
    chief.press(chief.open(REVISION), "配備する")

    assert "ほしい物" in clerk.press(clerk.open("/"), "申込みを始める").text
    assert "品名" in clerk.open(f"/cases/{applied}").text


def test_the_author_has_no_button_to_approve_and_is_refused_without_it(signed_in: People, begun: Page) -> None:
    both = signed_in("both1")
    edited(signed_in("owner1"), "call.form", "ひとこと", "ひとこと(任意)")
    edited(both, "review.form", "見直す理由", "理由")
    owner = signed_in("owner1")
    scenarios_run(owner, owner.open(REVISION))
    page = owner.press(owner.open(REVISION), "承認をお願いする", {"reason": "x"})

    form, _ = page.form("取り戻して")
    pairs = [(name, form.fields[name]) for name in ("csrf_token", "version")]
    assert "承認を待っている改訂案" in signed_in("chief1").open("/").text
    for name in ("both1", "owner1", "owner2"):
        assert "承認を待っている改訂案" not in signed_in(name).open("/").text
        seen = signed_in(name).open(REVISION)
        assert "承認する" not in seen.buttons()
        token = seen.document.xpath("//input[@name='csrf_token']/@value")[0]
        refused = signed_in(name).post(f"{REVISION}/act", [("csrf_token", token), pairs[1], ("_do", "approve")])
        assert refused.status == 403
    assert "承認待ち" in owner.open(REVISION).text


def test_the_second_writer_is_told_and_sees_what_they_wrote(signed_in: People, begun: Page) -> None:
    first, second = signed_in("owner1"), signed_in("owner2")
    page = second.open(f"{REVISION}/edit/call.form")
    edited(first, "call.form", "ひとこと", "一言")

    refused = second.press(page, "保存", {"content": FILES["call.form"].decode().replace("ひとこと", "メモ")})

    assert refused.status == 409
    assert "木村 花さんが先に変更しています" in refused.text
    assert "メモ" in refused.control("content").text
    assert "一言" in refused.document.get_element_by_id("instead").text
    assert "一言" in second.open(f"{REVISION}/edit/call.form").control("content").text
    assert second.press(refused, "保存").status == 200
    assert "メモ" in second.open(f"{REVISION}/edit/call.form").control("content").text


def test_a_third_writer_who_comes_between_is_not_overwritten_either(signed_in: People, begun: Page) -> None:
    first, second = signed_in("owner1"), signed_in("owner2")
    page = second.open(f"{REVISION}/edit/call.form")
    edited(first, "call.form", "ひとこと", "一言")
    refused = second.press(page, "保存", {"content": FILES["call.form"].decode().replace("ひとこと", "メモ")})
    edited(first, "call.form", "一言", "伝言")

    assert second.press(refused, "保存").status == 409
    assert "伝言" in second.open(f"{REVISION}/edit/call.form").control("content").text


def test_findings_keep_from_asking_for_approval_and_are_told_with_what_was_written(owner: Browser, begun: Page) -> None:
    edited(owner, "request.bpmn", 'formId="review"', 'formId="nowhere"')

    page = owner.press(owner.open(REVISION), "承認をお願いする", {"reason": "試しに"})

    assert page.status == 422
    assert "フォーム「nowhere」がありません。" in page.text
    assert "試しに" in page.control("reason").text


def test_an_approver_overrides_only_with_a_reason_which_stays_with_the_version(signed_in: People, begun: Page) -> None:
    owner, chief = signed_in("owner1"), signed_in("chief1")
    edited(owner, "call.form", "ひとこと", "一言")
    owner.press(owner.open(REVISION), "承認をお願いする", {"reason": "短く"})

    page = chief.open(REVISION)
    assert "承認する" not in page.buttons()
    refused = chief.press(page, "指摘があっても承認する", {"override": " "})
    assert refused.status == 422
    assert "まだ実行していません" in refused.text
    chief.press(refused, "指摘があっても承認する", {"override": "急ぎのため"})
    chief.press(chief.open(REVISION), "配備する")

    assert "急ぎのため" in owner.open("/studio/versions/2").text


def test_what_is_sent_back_tells_why(signed_in: People, begun: Page) -> None:
    owner, chief = signed_in("owner1"), signed_in("chief1")
    edited(owner, "call.form", "ひとこと", "一言")
    owner.press(owner.open(REVISION), "承認をお願いする", {"reason": "短く"})

    chief.press(chief.open(REVISION), "差し戻す", {"remark": "前の言い方がよいです"})

    assert "差し戻し: 前の言い方がよいです" in owner.open(REVISION).text
    assert "作成中" in owner.open(REVISION).text


# Files in and out ---------------------------------------------------------------------------------------


def test_a_file_comes_back_byte_by_byte_with_unknown_extensions(app: Flask, owner: Browser, begun: Page) -> None:
    own = b'<bpmn:extensionElements><x:y xmlns:x="http://example.org/x" z="1"> \r\n</x:y></bpmn:extensionElements>'
    content = FILES["request.bpmn"].replace(b'<bpmn:startEvent id="start">', b'<bpmn:startEvent id="start">' + own, 1)

    page = uploaded(owner, begun, ("request.bpmn", content))

    assert "1 個のファイルを読み込みました。" in page.text
    assert present(app)["request.bpmn"] == content
    assert owner.client.get(f"{REVISION}/files/request.bpmn").data == content


def test_a_whole_bundle_goes_out_as_zip_and_comes_in_again(app: Flask, owner: Browser, begun: Page) -> None:
    archive = owner.client.get(f"{REVISION}/bundle.zip").data
    assert bundle_files.unpack(archive) == FILES
    files = {**FILES, "notes/読んで.txt": b"\x00\xffas it is"}
    del files["guidance.yaml"]

    uploaded(owner, begun, ("all.zip", zipped({f"folder/{name}": one for name, one in files.items()})), only=True)

    assert present(app) == files


def test_a_zip_adds_and_replaces_but_takes_nothing_out_by_itself(app: Flask, owner: Browser, begun: Page) -> None:
    uploaded(owner, begun, ("some.zip", zipped({"call.form": FILES["call.form"] + b"\n"})))

    assert present(app) == {**FILES, "call.form": FILES["call.form"] + b"\n"}


def test_of_several_files_none_is_taken_if_one_is_broken(app: Flask, owner: Browser, begun: Page) -> None:
    page = uploaded(owner, begun, ("call.form", FILES["call.form"] + b"\n"), ("review.form", b"{"))

    assert page.status == 422
    assert present(app) == FILES


def test_an_upload_upon_an_old_page_overwrites_nothing(app: Flask, signed_in: People, begun: Page) -> None:
    edited(signed_in("owner2"), "call.form", "ひとこと", "一言")
    page = uploaded(signed_in("owner1"), begun, ("call.form", FILES["call.form"] + b"\n"))

    assert page.status == 409
    assert "黒田 光さんが先に変更しています" in page.text


def test_changes_to_a_file_are_undone_and_a_file_is_taken_out_and_brought_back(
    app: Flask, owner: Browser, begun: Page
) -> None:
    edited(owner, "call.form", "ひとこと", "一言")
    owner.press(owner.open(REVISION), "変更を元に戻す call.form")
    assert present(app) == FILES

    owner.press(owner.open(REVISION), "取り除く guidance.yaml")
    assert "guidance.yaml" not in present(app)
    owner.press(owner.open(REVISION), "戻す guidance.yaml")
    assert present(app) == FILES


REQUEST, FORM, TABLE = FILES["request.bpmn"], FILES["call.form"], FILES["deadline.dmn"]
PRICES = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="p" name="p" namespace="http://example.org/p">
  <inputData id="input_age" name="age"><variable id="v1" name="age" typeRef="number" /></inputData>
  <decision id="price" name="price">
    <variable id="v2" name="price" />
    <informationRequirement id="n1"><requiredInput href="#input_age" /></informationRequirement>
    <decisionTable id="t" hitPolicy="FIRST">
      <input id="i" label="age"><inputExpression id="e" typeRef="number"><text>age</text></inputExpression></input>
      <output id="o" name="price" />
      <rule id="r1"><inputEntry id="c1"><text>&lt; 12</text></inputEntry><outputEntry id="d1"><text>"low"</text></outputEntry></rule>
      <rule id="r2"><inputEntry id="c2"><text>&gt;= 12</text></inputEntry><outputEntry id="d2"><text>"high"</text></outputEntry></rule>
    </decisionTable>
  </decision>
</definitions>"""
MODEL = "http://www.omg.org/spec/BPMN/20100524/MODEL"
BROKEN = {
    "truncated XML": ("request.bpmn", REQUEST[: len(REQUEST) // 2], "XML として読めません"),
    "a DOCTYPE": ("request.bpmn", REQUEST.replace(b"<bpmn:definitions", b"<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]><bpmn:definitions", 1), "DOCTYPE"),
    "another namespace": ("request.bpmn", REQUEST.replace(MODEL.encode(), b"http://example.org/other"), "BPMN 2.0 のファイルではありません"),
    "a dangling flow": ("request.bpmn", REQUEST.replace(b'targetRef="check"', b'targetRef="nowhere"', 1), "「nowhere」がありません"),
    "a huge file": ("request.bpmn", REQUEST + b" " * bundle_files.MAX_FILE, "大きすぎます"),
    "no XML": ("request.bpmn", b"\x89PNG\r\n\x1a\n" + bytes(50), "XML として読めません"),
    "another encoding": ("call.form", FORM.decode().encode("cp932"), "文字コードが UTF-8 ではありません"),
    "a path out of the folder": ("all.zip", zipped({"../../call.form": FORM}), "フォルダの外"),
    "an archive that floods": ("all.zip", zipped({"zeros.txt": bytes(bundle_files.MAX_FILE + 1)}), "ひろげると大きすぎます"),
    "doubled ids": ("request.bpmn", REQUEST.replace(b'id="hurried"', b'id="end"', 1), "ID「end」が 2 回使われています"),
    "a form that is no JSON": ("call.form", FORM.replace(b"]", b"", 1), "JSON として読めません"),
    "a form that is no form": ("call.form", b'["components"]', "フォームのファイルではありません"),
    "broken YAML": ("bundle.yaml", b"title: [\nstarts: {", "YAML として読めません"),
    "another DMN": ("deadline.dmn", TABLE.replace(b"20191111/MODEL", b"20991111/MODEL"), "DMN 1.2〜1.5 のファイルではありません"),
    "an empty file": ("call.form", b" \n", "中身がありません"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_is_told_with_its_reason_and_leaves_nothing_behind(
    app: Flask, owner: Browser, begun: Page, kind: str
) -> None:
    name, content, reason = BROKEN[kind]

    page = uploaded(owner, begun, (name, content))

    assert page.status == 422
    told = " ".join(page.document.xpath("//*[@role='alert']")[0].text_content().split())
    assert reason in told
    assert Path(name).stem in told or name == "all.zip"
    assert present(app) == FILES
    with app.extensions["mamori"].reading() as session:
        assert revisions.get(session, 1).version == 1


FAULTY = {
    "a cell that is no FEEL": ("deadline.dmn", TABLE.replace(b"if event = ", b"if event = = "), "deadline"),
    "an unknown form": ("request.bpmn", REQUEST.replace(b'formId="call"', b'formId="none"', 1), "フォーム「none」がありません"),
    "an unknown group": ("bundle.yaml", FILES["bundle.yaml"].replace(b"groups: [clerk]", b"groups: [nobody]", 1), "グループ「nobody」"),
    "a check that is no FEEL": ("call.form", FORM.replace(b'"validate"', b'"conditional": {"hide": "=1 +"}, "validate"'), "call.form"),
}  # fmt: skip


@pytest.mark.parametrize("kind", FAULTY)
def test_a_faulty_file_can_be_written_on_but_never_deployed(app: Flask, owner: Browser, begun: Page, kind: str) -> None:
    name, content, reason = FAULTY[kind]

    page = uploaded(owner, begun, (name, content))
    findings = " ".join(page.document.xpath("//ul[@class='findings']")[0].text_content().split())
    refused = owner.press(page, "承認をお願いする", {"reason": "x"})

    assert reason in findings
    assert name in findings
    assert (page.status, refused.status) == (200, 422)
    with app.extensions["mamori"].reading() as session:
        assert [row.id for row in deployments.listing(session)] == [1]
    assert present(app)[name] == content


def test_a_large_post_is_only_for_owners(signed_in: People, begun: Page) -> None:
    large = ("notes.txt", b"x" * (2 * 1024 * 1024))
    assert uploaded(signed_in("owner1"), begun, large).status == 200
    form, _ = begun.form("アップロードする")
    data = {"csrf_token": form.fields["csrf_token"], "files": [(io.BytesIO(large[1]), large[0])]}
    assert sent(signed_in("clerk1"), form.get("action"), data).status_code == 413


# What the editors exchange with the server ----------------------------------------------------------------


def token(page: Page) -> str:
    return str(page.document.xpath("//input[@name='csrf_token']/@value")[0])


def by_script(browser: Browser, page: Page, path: str, **fields: str) -> TestResponse:
    data = {"csrf_token": token(page), **fields}
    return browser.client.post(path, data=data, headers={"Accept": "application/json"})


def test_a_script_saves_upon_what_it_saw_and_hears_what_to_save_upon_next(
    app: Flask, owner: Browser, begun: Page
) -> None:
    path, old = f"{REVISION}/edit/call.form", FILES["call.form"].decode()
    first = by_script(owner, begun, path, seen=revisions.digest(FILES["call.form"]), content=old + " ")
    second = by_script(owner, begun, path, seen=first.json["seen"], content=old + "  ")
    stale = by_script(owner, begun, path, seen=first.json["seen"], content=old + "   ")

    assert (first.status_code, second.status_code, stale.status_code) == (200, 200, 409)
    assert "木村 花さんが先に変更しています" in stale.json["reason"]
    assert present(app)["call.form"] == (old + "  ").encode()


def test_a_script_hears_why_a_file_is_refused(owner: Browser, begun: Page) -> None:
    seen = revisions.digest(FILES["call.form"])

    refused = by_script(owner, begun, f"{REVISION}/edit/call.form", seen=seen, content="{")

    assert refused.status_code == 422
    assert "JSON として読めません" in refused.json["reason"]


def test_a_script_hears_the_findings_of_a_file_and_of_no_other(owner: Browser, begun: Page) -> None:
    edited(owner, "request.bpmn", 'formId="review"', 'formId="nowhere"')

    found = owner.client.get(f"{REVISION}/findings/request.bpmn").json["findings"]

    assert [(one["kind"], one["element"]) for one in found] == [("structure", "check")]
    assert "nowhere" in found[0]["message"]
    assert owner.client.get(f"{REVISION}/findings/call.form").json == {"findings": [], "elsewhere": 1}


def test_a_form_is_shown_as_people_will_see_it_or_why_not(owner: Browser, begun: Page) -> None:
    shown = by_script(owner, begun, f"{REVISION}/preview", content=FILES["call.form"].decode())
    broken = by_script(owner, begun, f"{REVISION}/preview", content='{"components": [{"type": "unknown"}]}')
    hostile = by_script(
        owner,
        begun,
        f"{REVISION}/preview",
        content=FILES["call.form"].decode().replace("ひとこと", "<script>x</script>"),
    )

    assert "ひとこと" in shown.text
    assert "<textarea" in shown.text
    assert "このままではフォームを表示できません" in broken.text
    assert "<script>" not in hostile.text


def test_a_form_is_shown_as_it_is_after_what_was_typed(owner: Browser, begun: Page) -> None:
    form = json.loads(FILES["call.form"])
    key = next(each["key"] for each in form["components"] if each["type"] in ("textfield", "textarea"))
    form["components"].append(
        {"id": "why", "type": "textfield", "key": "why", "label": "わけ", "conditional": {"hide": f'={key} != "x"'}}
    )

    hidden = by_script(owner, begun, f"{REVISION}/preview", content=json.dumps(form))
    seen = by_script(owner, begun, f"{REVISION}/preview", content=json.dumps(form), **{f"typed.{key}": "x"})

    assert "条件によって隠れている項目: わけ" in hidden.text
    assert 'name="why"' not in hidden.text
    assert 'name="why"' in seen.text
    assert "隠れている項目" not in seen.text


def test_an_editor_page_lets_in_styles_of_its_own_by_a_nonce_and_no_other_page_does(
    app: Flask, signed_in: People, begun: Page
) -> None:
    app.config["SCRIPTS"] = True
    owner = signed_in("owner1")
    policies = [
        owner.client.get(path).headers["Content-Security-Policy"]
        for path in (
            f"{REVISION}/edit/call.form",
            f"{REVISION}/edit/call.form",
            f"{REVISION}/edit/bundle.yaml",
            REVISION,
        )
    ]
    parts = [dict(part.split(" ", 1) for part in policy.split("; ")) for policy in policies]

    page = owner.open(f"{REVISION}/edit/call.form")
    assert page.document.xpath("//meta[@name='style-nonce']/@content")
    assert re.fullmatch(r"'self' 'nonce-[\w-]{20,}'", parts[0]["style-src"])
    assert parts[0]["style-src"] != parts[1]["style-src"]
    assert parts[0]["script-src"] == "'self'"
    assert [part["style-src"] for part in parts[2:]] == ["'self'", "'self'"]


def test_a_process_is_made_from_nothing_with_a_form_and_a_scenario_and_begun_from_the_pages(
    app: Flask, signed_in: People, begun: Page
) -> None:
    owner, chief, clerk = signed_in("owner1"), signed_in("chief1"), signed_in("clerk1")
    page = owner.open(owner.open(REVISION).links()["新しいフォーム"])
    assert owner.press(page, "作って開く", {"key": "check", "title": "点検表"}).address == f"{REVISION}/edit/check.form"
    page = owner.open(owner.open(REVISION).links()["新しいプロセス"])
    page = owner.press(page, "作って開く", {"key": "inspection", "title": "備品の点検", "group": "clerk"})
    assert page.address == f"{REVISION}/edit/inspection.bpmn"
    edited(owner, "inspection.bpmn", "<zeebe:userTask/>", '<zeebe:userTask/><zeebe:formDefinition formId="check"/>')
    page = owner.open(owner.open(REVISION).links()["新しいシナリオ"])
    owner.press(page, "作って開く", {"key": "inspected", "title": "点検が済む", "process": "inspection"})

    page = scenarios_run(owner, owner.open(REVISION))
    assert "2 件すべてが、シナリオのとおりになりました。" in page.text
    owner.press(page, "承認をお願いする", {"reason": "点検を始めるため"})
    chief.press(chief.open(REVISION), "承認する")
    chief.press(chief.open(REVISION), "配備する")

    assert "最初の作業" in clerk.press(clerk.open("/"), "備品の点検").text


def test_what_cannot_be_made_is_told_beside_what_was_written(app: Flask, owner: Browser, begun: Page) -> None:
    before = present(app)

    refused = owner.press(owner.open(f"{REVISION}/new/bpmn"), "作って開く", {"key": "点検", "title": "備品の点検"})

    assert refused.status == 422
    assert "半角の英字で始め" in refused.text
    assert refused.control("title").get("value") == "備品の点検"
    assert present(app) == before


def test_files_are_called_by_what_is_in_them(owner: Browser, begun: Page) -> None:
    page = owner.open(REVISION)

    files = " ".join(page.document.xpath("//section[@aria-labelledby='files']")[0].text_content().split())
    for called in ("備品の申込みrequest.bpmn", "連絡call.form"):
        assert called in files
    scenario = next(name for name in FILES if "scenarios/" in name)
    title = re.search(r"^title: (.*)$", FILES[scenario].decode(), re.MULTILINE)[1]
    assert f"{title}{scenario.rpartition('/')[2]}" in files


def test_a_version_is_compared_with_any_other(signed_in: People, begun: Page) -> None:
    owner, chief = signed_in("owner1"), signed_in("chief1")
    edited(owner, "review.form", "見直す理由", "見直したい理由")
    owner.press(scenarios_run(owner, owner.open(REVISION)), "承認をお願いする", {"reason": "x"})
    chief.press(chief.open(REVISION), "承認する")
    chief.press(chief.open(REVISION), "配備する")

    page = owner.open("/studio/versions/1")
    assert "版から変わったところ" not in page.text
    page = owner.open(page.links()["戻すと変わるところを見る"])

    assert "第 2 版から変わったところ" in page.text
    assert "項目「見直したい理由」の見出しを 「見直したい理由」 から 「見直す理由」 に変えます。" in page.text
    assert page.text.index("なぜ戻しますか") < page.text.index("第 2 版から変わったところ")


def test_the_settings_of_an_editor_offer_what_exists(app: Flask, owner: Browser, begun: Page) -> None:
    app.config["SCRIPTS"] = True

    page = owner.open(f"{REVISION}/edit/request.bpmn")

    offers = json.loads(page.document.get_element_by_id("editor-settings").text)["offers"]
    assert ["chief", "係長"] in offers["groups"]
    assert ["call", "連絡"] in offers["forms"]
    assert ["deadline", "deadline"] in offers["decisions"]
    assert ["request", "備品の申込み"] in offers["processes"]
    assert offers["deadlines"] == [["ask", "ask"], ["check", "check"]]  # the decision is no table that says more


def test_an_editor_opens_while_the_decision_of_the_deadlines_is_taken_out(
    app: Flask, owner: Browser, begun: Page
) -> None:
    app.config["SCRIPTS"] = True
    uploaded(owner, begun, ("request.bpmn", FILES["request.bpmn"]), only=True)

    assert owner.open(f"{REVISION}/edit/request.bpmn").status == 200


def test_what_is_no_text_is_not_shown_as_text(owner: Browser, begun: Page) -> None:
    uploaded(owner, begun, ("picture.png", b"\x89PNG\xff"))

    page = owner.open(f"{REVISION}/edit/picture.png")

    assert "このファイルはテキストではありません" in page.text
    assert not page.named("content")


def test_a_decision_is_tried_and_tells_what_comes_out(owner: Browser, begun: Page) -> None:
    page = owner.open(f"{REVISION}/try/deadline.dmn?decision=deadline&in.event=ask&in.opened_at=2026-11-24T10:00")

    assert page.status == 200
    assert page.control("in.event").get("value") == "ask"
    outcome = page.document.xpath("//*[@aria-labelledby='outcome']")[0].text_content()
    assert "その日のうちに書き終えるため" in outcome
    assert "2026-11-24T14:00" in outcome


def test_a_decision_that_cannot_be_read_says_so(owner: Browser, begun: Page) -> None:
    uploaded(owner, begun, ("deadline.dmn", FAULTY["a cell that is no FEEL"][1]))

    page = owner.open(f"{REVISION}/try/deadline.dmn")

    assert page.status == 422
    assert page.document.xpath("//*[@role='alert']")
    assert owner.open(f"{REVISION}/try/call.form").status == 404


def test_what_the_scenarios_reached_is_told_per_file_and_what_they_did_not_by_name(
    signed_in: People, begun: Page
) -> None:
    owner, chief = signed_in("owner1"), signed_in("chief1")
    address = f"{REVISION}/coverage/request.bpmn"
    assert "シナリオが通ったところ" not in begun.text
    assert owner.open(address).status == 404  # nothing has run

    page = scenarios_run(owner, owner.open(REVISION))

    (row,) = page.document.xpath("//li[span/a[contains(@href, 'coverage')]]")
    assert " ".join(row.text_content().split()) == "備品の申込みrequest.bpmn 要素: 10 のうち 6 フロー: 8 のうち 5"
    for reader in (owner, chief):
        shown = reader.open(address)
        missing = [each.text_content() for each in shown.document.xpath("//li[@class='unreached']")]
        assert missing[:2] == ["境界イベント「急ぐことになった」", "フロー「急ぐことになった → 急ぎの連絡をする」"]
        assert len(missing) == 7
    for name in ("clerk1", "auditor1"):
        assert signed_in(name).open(address).status == 404
    assert owner.open(f"{REVISION}/coverage/review.form").status == 404

    edited(owner, "call.form", "ひとこと", "ひとこと(任意)")
    assert owner.open(address).status == 404  # what was reached with other files is not shown


def test_a_changed_decision_table_is_shown_with_its_marks_to_owner_and_approver(signed_in: People, begun: Page) -> None:
    owner, chief = signed_in("owner1"), signed_in("chief1")
    uploaded(owner, begun, ("prices.dmn", PRICES.encode()))
    scenarios_run(owner, owner.open(REVISION))
    owner.press(owner.open(REVISION), "承認をお願いする", {"reason": "x"})
    chief.press(chief.open(REVISION), "承認する")
    owner.press(owner.open(REVISION), "配備する")
    owner.press(owner.open("/studio"), "改訂案を始める", {"title": "値段"})
    rule = '<rule id="r9"><inputEntry id="c9"><text>9</text></inputEntry><outputEntry id="d9"><text>"x"</text></outputEntry></rule>'
    changed = PRICES.replace('"low"', '"lower"').replace("</decisionTable>", f"{rule}</decisionTable>")
    address = "/studio/revisions/2"

    uploaded(owner, owner.open(address), ("prices.dmn", changed.encode()))

    for reader in (owner, chief):
        page = reader.open(address)
        rows = page.document.xpath("//table[@class='decision']/tbody/tr")
        assert [
            (row.get("class"), [" ".join(cell.text_content().split()) for cell in row.xpath("*")]) for row in rows
        ] == [
            ("changed", ["1 変更", "< 12", '"low" "lower"', ""]),
            (None, ["2", ">= 12", '"high"', ""]),
            ("added", ["3 追加", "9", '"x"', ""]),
        ]
        assert [cell.text_content() for cell in rows[0].xpath(".//del")] == ['"low"']
        assert "変わらない規則" not in page.text


def test_what_is_taken_off_a_diagram_is_listed_with_it(owner: Browser, begun: Page) -> None:
    source = FILES["request.bpmn"].decode()
    cut = re.sub(
        r'    <bpmn:boundaryEvent id="urgent".*?<bpmn:endEvent id="hurried">.*?</bpmn:endEvent>\n',
        "",
        source,
        flags=re.S,
    )
    assert cut != source

    page = uploaded(owner, begun, ("request.bpmn", cut.encode()))

    (gone,) = page.document.xpath("//p[.='図からなくなるもの:']/following-sibling::ul[1]")
    assert [each.text_content() for each in gone][:1] == ["境界イベント「急ぐことになった」を取り除きます。"]
    assert len(gone) == 5


def test_the_rules_that_never_held_are_marked_in_their_table(signed_in: People, begun: Page) -> None:
    owner = signed_in("owner1")
    uploaded(owner, begun, ("deadline.dmn", DEADLINES.encode()))

    page = scenarios_run(owner, owner.open(REVISION))

    (row,) = page.document.xpath("//li[span/a[contains(@href, 'coverage/deadline.dmn')]]")
    assert "3 のうち 2" in row.text_content()
    shown = owner.open(f"{REVISION}/coverage/deadline.dmn")
    (missing,) = shown.document.xpath("//tr[@class='unreached']")
    assert [" ".join(cell.text_content().split()) for cell in missing.xpath("*")][:2] == ["2 当てはまらず", '"never"']
    assert "一度も当てはまらなかった規則: 2 行目" in shown.text
