"""The cards beside the forms: complete, short, kind, in two languages, and true to the response flow.

Expected steps, forms and channels are those of the data dictionary §2 and §5; times and rounds those of the response
flow §3 and DT-07; telephone numbers and hours those of its list of contacts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from ruamel.yaml import YAML

BUNDLE = Path(__file__).parents[2] / "processes" / "harassment-response"
GUIDANCE: Mapping[str, Any] = YAML(typ="safe", pure=True).load((BUNDLE / "guidance.yaml").read_text("utf-8"))

FORMS = {
    "ST-01": ("contact_record",),
    "ST-02": ("emergency_check",),
    "ST-03": ("emergency_record",),
    "ST-04": ("demand_check", "accommodation"),
    "ST-05": ("complaint_reply", "accommodation"),
    "ST-06": ("handover",),
    "ST-07": ("interaction_control",),
    "ST-08": ("incident_quick_report",),
    "ST-09": ("evidence_item",),
    "ST-10": ("fact_finding", "external_opinion"),
    "ST-11": ("determination_form", "determination_review", "determination_confirm", "pending_decision"),
    "ST-12": ("response_plan", "plan_approval", "scope_adjustment"),
    "ST-13": ("notice_issue", "effect_check"),
    "ST-14": ("legal_review",),
    "ST-15": ("liaison_decision", "police_liaison", "offender_known", "lawyer_request"),
    "ST-16": ("objection",),
    "ST-17": ("monitoring_plan",),
    "ST-18": ("case_review",),
    "ST-19": ("closure",),
    "CT-01": ("care_separation",),
    "CT-02": ("care_first_contact",),
    "CT-03": ("care_plan",),
    "CT-04": ("care_referral",),
    "CT-05": ("work_support",),
    "CT-06": ("care_followup",),
    "CT-07": ("care_followup",),
    "CT-08": ("care_followup",),
    "P5-01": ("consultation",),
    "P5-02": ("consultation_taken_over",),
    "P6-01": ("breach",),
    "P6-02": ("breach_notice",),
    "P6-03": ("breach_notice",),
}
"""Forms of each step; the first is the one that the step's own card speaks of."""

CHANNEL_LIMITS = {
    "face_to_face": ["30", "60"],
    "phone": ["30", "60", "2"],
    "email_chat": ["3"],
    "sns": ["2"],
    "visit": ["60"],
    "online_meeting": ["15"],
    "other": [],
}
STEP_TIMES = {
    "ST-03": {"1"},
    "ST-05": {"5"},
    "ST-08": {"4", "1"},
    "ST-09": {"2", "24"},
    "ST-14": {"3", "1"},
    "ST-16": {"10"},
    "ST-17": {"6", "1"},
    "CT-02": {"24", "2"},
}
CONTACTS = {
    "police_110": ("110", set()),
    "ambulance_119": ("119", set()),
    "company_desk": ("要確認", set()),
    "hotline_9110": ("#9110", {"8:30", "17:15"}),
    "houterasu": ("0570-078374", {"9", "21", "17"}),
    "tokyo_desk": ("0120-182-276", {"9", "17"}),
}

JAPANESE = re.compile(r"[\u3041-\u30ff\u4e00-\u9fff]")
LONGEST_JAPANESE, LONGEST_ENGLISH = 40, 100
MOST_LINES = 6

DUTY = ("義務", "法律上", "法令", "法的", "罰", "legal duty", "by law", "legally", "obliged")
BLAME = (
    *(
        "断れなかった",
        "断ればよかった",
        "なぜ断",
        "どうして断",
        "我慢",
        "耐え",
        "辛抱",
        "気にしすぎ",
        "考えすぎ",
        "大げさ",
    ),
    *(
        "自業自得",
        "落ち度",
        "隙が",
        "甘え",
        "情けな",
        "神経質",
        "反省",
        "あなたにも",
        "あなたが悪",
        "言い返せば",
        "油断",
    ),
    *("不注意", "たかが", "これくらい", "よくあること", "気の持ちよう", "被害者ぶ", "クレーマー", "モンスター"),
    *("why didn't you", "why did you not", "should have", "put up with", "overreact", "too sensitive", "toughen"),
    *("your own fault", "calm down", "let it go", "brought it on", "you must have"),
)
POLICY = (
    *("深刻な課題となっています", "過去3年間に", "全労働者のうち", "都内で事業を行う", "対策を強化することとしました"),
    *("精神的・身体的苦痛を与え", "尊厳や人格を傷つける", "能力を十分に発揮できる", "良好な就業環境をつくる"),
    *(
        "現場の従業員任せ",
        "統一的な対応方法",
        "組織的なカスタマーハラスメント",
        "社内・社外に広く周知",
        "社会的価値を創造する",
    ),
    *("安全・安心なITサービス", "お客様の要望に真摯", "満足度の高いサービス", "大変貴重な機会", "人格を否定する暴言"),
    *(
        "社会通念に照らして",
        "就業環境を悪化させる",
        "重大な問題であり",
        "安全な就業環境を確保",
        "安心して業務に取り組む",
    ),
    *(
        "お客様との関係をより良い",
        "安心して働ける職場環境",
        "健全な関係を築く",
        "安全かつ尊重される環境",
        "明確に区別します",
    ),
    *(
        "安心して相談できる体制",
        "知識を深めます",
        "最新の対応策を",
        "3要素をすべて満たす",
        "業務に関連する著しい",
        "就業環境を害する",
    ),
    *(
        "あくまで例示",
        "机を叩く",
        "大声での罵倒",
        "契約外の追加業務",
        "執拗なクレーム",
        "従業員の身体的特徴",
        "実際と異なる悪評",
    ),
    *(
        "組織対応で守ります",
        "ケアを最優先します",
        "継続活用して社内教育",
        "連携など体制を整備",
        "誠実に受け止め、適切に",
    ),
    *(
        "合理的かつ理性的な",
        "対応を打ち切り、以降",
        "毅然と対応",
        "冷静かつ礼節",
        "感情的にならず",
        "傾聴と共感を示し",
        "内容を正確に把握",
    ),
    *("迅速かつ誠実な", "安全にサービスを受ける権利", "適切に意見を述べる", "権利を逸脱し", "人格や安全を脅かす"),
    *("ご利用いただいておりますが", "本基本方針に沿って", "ご理解・ご協力"),
)
"""A passage of each sentence of the company's policy."""


def cards() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every list of advice with its place: the steps', those of single forms, and the emergency's."""
    for step, card in GUIDANCE["steps"].items():
        yield step, card
        for form, own in card.get("forms", {}).items():
            yield f"{step} {form}", own


def texts(node: Any = GUIDANCE, place: str = "") -> Iterator[tuple[str, Mapping[str, str]]]:
    """Every {ja, en} of the file with its place."""
    if isinstance(node, Mapping) and {"ja", "en"} & set(node):
        yield place, node
    elif isinstance(node, Mapping):
        for key, child in node.items():
            yield from texts(child, f"{place} {key}".strip())
    elif isinstance(node, list):
        for number, child in enumerate(node, 1):
            yield from texts(child, f"{place} {number}")


def containing(passages: tuple[str, ...]) -> list[tuple[str, str]]:
    """Place and passage wherever a text in either language holds one of `passages`."""
    return [
        (place, passage)
        for place, text in texts()
        for passage in passages
        if passage in text["ja"] or passage in text["en"].lower()
    ]


def figures(text: str) -> list[str]:
    return re.findall(r"\d+(?::\d+)?", text)


def test_every_step_of_the_dictionary_has_a_card_in_its_order() -> None:
    assert list(GUIDANCE["steps"]) == list(FORMS)


@pytest.mark.parametrize("step", FORMS)
def test_a_card_says_what_to_do_what_to_avoid_and_what_one_can_say(step: str) -> None:
    card = GUIDANCE["steps"][step]

    assert set(card) - {"after", "calls", "forms"} == {"title", "purpose", "do", "avoid", "say"}
    assert card["do"]
    assert card["avoid"]
    assert card["say"]


@pytest.mark.parametrize("step", FORMS)
def test_where_a_step_asks_several_forms_each_further_one_has_advice_of_its_own(step: str) -> None:
    own = GUIDANCE["steps"][step].get("forms", {})

    assert tuple(own) == FORMS[step][1:]
    assert all(set(advice) == {"do", "avoid", "say"} and all(advice.values()) for advice in own.values())


def test_every_user_task_that_is_drawn_finds_its_card() -> None:
    drawn = set()
    for path in BUNDLE.glob("*.bpmn"):
        for task in etree.parse(path).iterfind(".//{*}userTask"):
            forms = [str(form.get("formId")) for form in task.iterfind(".//{*}formDefinition")]
            drawn |= {(str(task.get("id"))[:5].replace("_", "-"), form) for form in forms}

    assert drawn
    assert drawn <= {(step, form) for step, forms in FORMS.items() for form in forms}


def test_every_text_is_written_in_japanese_and_in_english() -> None:
    wrong = [
        place
        for place, text in texts()
        if set(text) != {"ja", "en"} or not JAPANESE.search(text["ja"]) or not text["en"] or JAPANESE.search(text["en"])
    ]

    assert wrong == []


def test_texts_are_short_enough_for_a_phone() -> None:
    assert [(place, text["ja"]) for place, text in texts() if len(text["ja"]) > LONGEST_JAPANESE] == []
    assert [(place, text["en"]) for place, text in texts() if len(text["en"]) > LONGEST_ENGLISH] == []


def test_no_list_is_longer_than_a_phone_shows_at_a_glance() -> None:
    lists = [(place, name, card.get(name, ())) for place, card in cards() for name in ("do", "avoid", "say", "after")]
    lists += [
        (channel, name, lines) for channel, rules in GUIDANCE["channels"].items() for name, lines in rules.items()
    ]

    assert [(place, name) for place, name, lines in lists if len(lines) > MOST_LINES] == []


def test_what_one_can_say_stands_in_quotes_and_advice_ends_as_a_sentence() -> None:
    spoken = [line for _, card in (*cards(), ("emergency", GUIDANCE["emergency"])) for line in card["say"]]
    advised = [line for _, card in cards() for line in (*card["do"], *card["avoid"], *card.get("after", ()))]

    assert [line for line in spoken if not re.fullmatch("「[^「」]+」", line["ja"])] == []
    assert [line for line in spoken if not re.fullmatch("“[^“”]+”", line["en"])] == []
    assert [line for line in advised if not (line["ja"].endswith("。") and line["en"].endswith("."))] == []


@pytest.mark.parametrize("channel", CHANNEL_LIMITS)
def test_a_channel_tells_where_how_to_record_how_long_and_how_to_end(channel: str) -> None:
    rules = GUIDANCE["channels"][channel]

    assert set(rules) == {"title", "place", "record", "limits", "ending"}
    assert all(rules.values())


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("channel", CHANNEL_LIMITS)
def test_the_guide_values_of_a_channel_are_those_of_the_response_flow(channel: str, language: str) -> None:
    limits = "\n".join(line[language] for line in GUIDANCE["channels"][channel]["limits"])
    per_call_or_day = "1回|1日"

    assert figures(re.sub(per_call_or_day, "", limits)) == CHANNEL_LIMITS[channel]


def test_there_is_a_rule_for_every_channel_and_no_other() -> None:
    assert list(GUIDANCE["channels"]) == list(CHANNEL_LIMITS)


def test_channel_rules_stand_beside_the_steps_in_which_one_talks_with_the_customer() -> None:
    assert {"ST-01", "ST-06", "ST-07"} <= set(GUIDANCE["channel_steps"]) <= set(FORMS)


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("step", STEP_TIMES)
def test_the_times_on_a_card_are_those_of_the_domain(step: str, language: str) -> None:
    timed = [
        line[language]
        for line in GUIDANCE["steps"][step]["do"]
        if re.search("目安|以内|aim for|within|the guide", f"{line['ja']} {line['en'].lower()}")
    ]

    assert set(figures("\n".join(timed))) == STEP_TIMES[step]


def test_the_emergency_card_says_leave_safe_place_call_supervisor_scene_in_this_order() -> None:
    lines = GUIDANCE["emergency"]["lines"]
    expected = [
        ("離れ", "leave"),
        ("安全な場所", "safe place"),
        ("110番", "110"),
        ("上長", "supervisor"),
        ("現場", "scene"),
    ]

    assert len(lines) == len(expected)
    for line, (japanese, english) in zip(lines, expected, strict=True):
        assert japanese in line["ja"]
        assert english in line["en"].lower()
    assert "119番" in lines[2]["ja"]
    assert "119" in lines[2]["en"]


def test_the_emergency_card_asks_for_no_approval() -> None:
    assert "承認は要りません" in GUIDANCE["emergency"]["purpose"]["ja"]
    assert "no approval" in GUIDANCE["emergency"]["purpose"]["en"]


def test_contacts_have_the_numbers_and_hours_of_the_domain() -> None:
    contacts = {contact["id"]: contact for contact in GUIDANCE["emergency"]["contacts"]}

    assert {key: contact["number"] for key, contact in contacts.items()} == {key: n for key, (n, _) in CONTACTS.items()}
    for key, (_, hours) in CONTACTS.items():
        opened = contacts[key].get("hours", {"ja": "", "en": ""})
        assert set(figures(opened["ja"])) == set(figures(opened["en"])) == hours


def test_no_text_names_a_telephone_number_that_is_not_among_the_contacts() -> None:
    known = {number.lstrip("#") for number, _ in CONTACTS.values()}
    named = {found for _, text in texts() for found in re.findall(r"\d[\d-]{2,}", text["ja"] + "\n" + text["en"])}

    assert named <= known


def test_a_contact_taken_from_a_source_names_it_and_how_certain_it_is() -> None:
    for contact in GUIDANCE["emergency"]["contacts"]:
        assert contact["certainty"] in {"A", "B", "C", "D"}
        assert ("source" in contact) == (contact["certainty"] in {"A", "B"})


def test_nothing_is_shown_as_a_legal_duty() -> None:
    assert containing(DUTY) == []


def test_no_text_blames_the_person_who_was_hurt() -> None:
    assert containing(BLAME) == []


def test_no_sentence_of_the_policy_is_copied() -> None:
    assert containing(POLICY) == []
