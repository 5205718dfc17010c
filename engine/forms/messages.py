"""Every sentence that a form says to the person who fills it, or to the one who wrote the file.

`str.format` templates. `label` is the field's own label.
"""

# To the person who fills the form
ENTER = "「{label}」を入れてください。"
CHOOSE = "「{label}」を選んでください。"
TICK = "「{label}」を確かめて、印を付けてください。"
ADD_ROW = "「{label}」を1件以上入れてください。"
NOT_AN_OPTION = "「{label}」は、示された選択肢の中から選んでください。"
NOT_TEXT = "「{label}」は文章で入れてください。"
UNUSABLE_CHARACTER = "「{label}」に使えない文字(制御文字など)が含まれています。取り除いてください。"
NOT_A_NUMBER = "「{label}」は数字で入れてください(例: 30)。"
NOT_A_WHOLE_NUMBER = "「{label}」は整数で入れてください(例: 30)。"
TOO_MANY_DECIMALS = "「{label}」は小数第{digits}位までで入れてください。"
NOT_YES_OR_NO = "「{label}」は、印を付けるか外すかのどちらかにしてください。"
NOT_A_DATE = "「{label}」は日付で入れてください(例: 2026-11-24)。"
NOT_A_TIME = "「{label}」は時刻で入れてください(例: 10:30)。"
NOT_A_DATE_TIME = "「{label}」は日付と時刻で入れてください(例: 2026-11-24T10:30)。"
NOT_A_SELECTION = "「{label}」は選択肢の一覧で入れてください。"
NOT_ROWS = "「{label}」は、項目ごとの行の一覧で入れてください。"
TOO_MANY_ROWS = "「{label}」は{limit}件までにしてください。"
TOO_SMALL = "「{label}」は{limit}以上にしてください。"
TOO_LARGE = "「{label}」は{limit}以下にしてください。"
TOO_SHORT = "「{label}」は{limit}文字以上で入れてください。"
TOO_LONG = "「{label}」は{limit}文字以内にしてください(いまは{length}文字です)。"
NOT_AS_ASKED = "「{label}」の書き方を確かめてください。"
CHECK_FAILED = "「{label}」の内容を確かめてください。"
UNKNOWN_FIELD = "「{key}」という項目はこの様式にありません。取り除いてください。"
UNCOMPUTABLE = "様式の式 {text} を計算できません: {fault}"

# To the one who wrote the file
NOT_UTF8 = "UTF-8 の文字として読めません。"
NOT_JSON = "JSON として読めません: {fault}"
TOO_BIG = "ファイルが大きすぎます({size} バイト、上限は {limit} バイトです)。"
DUPLICATE_NAME = "同じ名前「{name}」が1つのオブジェクトに2度あります。"
NO_CONSTANT = "{name} は JSON の値ではありません。"
NOT_A_FORM = "様式ではありません。type が default のオブジェクトにしてください。"
NO_FORM_ID = "様式の id を入れてください。"
WRONG_SHAPE = "{name} は{shape}にしてください。"
NO_COMPONENT_ID = "部品の id を入れてください。"
SAME_COMPONENT_ID = "同じ id の部品が2つあります。"
UNKNOWN_TYPE = "部品の種類「{type}」は使えません。"
UNKNOWN_SUBTYPE = "subtype「{subtype}」は使えません。date, time, datetime のどれかにしてください。"
NO_KEY = "項目名(key。一覧では path)を、英数字と _ の名前で入れてください。"
SAME_KEY = "項目「{key}」が2つあります。"
NO_LABEL = "見出し(label)を入れてください。"
NO_OPTIONS = "選択肢(values か valuesExpression のどちらか1つ)を入れてください。"
SAME_OPTION = "選択肢「{value}」が2つあります。"
NOT_AN_EXPRESSION = "{name} は = で始まる FEEL の式にしてください。"
BAD_EXPRESSION = "{name} の式を読めません: {fault}"
PROPERTIES = {
    "hide": "隠す条件(hide)",
    "check": "確かめる条件(check)",
    "defaultValue": "はじめの値(defaultValue)",
    "required": "必須にする条件(required)",
    "valuesExpression": "選択肢の式(valuesExpression)",
}
"""What their editor calls the properties of a component, so that its writer finds them."""
BAD_PATTERN = "pattern を読めません: {fault}"
BAD_DEFAULT = "defaultValue が項目の型に合いません。"
CHECK_WITHOUT_MESSAGE = "check には、何をすればよいかを伝える checkMessage を付けてください。"
MESSAGE_WITHOUT_CHECK = "checkMessage だけがあります。check を付けてください。"
NO_PATH_IN_GROUP = "グループに path は使えません。"
NO_CONCEALMENT = "conceals は、一覧の外にあるチェックボックスにだけ書けます。"
NO_NESTED_ROWS = "一覧の中に一覧は置けません。"
NOT_SUPPORTED = "{name} は使えません。取り除いてください。"
NO_TEMPLATE = "{name} に式や {{{{ }}}} は使えません。"
TOO_DEEP = "部品の入れ子が深すぎます(上限は {limit} 段です)。"
CIRCULAR = "条件や初期値が互いに参照し合っています: {keys}"
