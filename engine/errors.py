"""The errors of the engine: what was refused, with the facts, and a sentence for the person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol


class EngineError(Exception):
    """The engine refuses this, for a reason the person can be told."""


# Nothing there (or nothing that this person may know of) ------------------------------------------------


class NotFound(EngineError):
    """What was asked for does not exist, or must not be known to the person who asks."""


class CaseNotFound(NotFound):
    def __init__(self, business_key: str) -> None:
        super().__init__(f"事案 {business_key} は見つかりません。")
        self.business_key = business_key


class InstanceNotFound(NotFound):
    def __init__(self, instance: int) -> None:
        super().__init__(f"プロセスの実行 {instance} は見つかりません。")
        self.instance = instance


class TaskNotFound(NotFound):
    def __init__(self, task: int) -> None:
        super().__init__(f"作業 {task} は見つかりません。")
        self.task = task


class JobNotFound(NotFound):
    def __init__(self, job: int) -> None:
        super().__init__(f"ジョブ {job} は見つかりません。")
        self.job = job


class IncidentNotFound(NotFound):
    def __init__(self, incident: int) -> None:
        super().__init__(f"開いている障害 {incident} は見つかりません。")
        self.incident = incident


class PersonNotFound(NotFound):
    def __init__(self, name: str) -> None:
        super().__init__(f"「{name}」さんは登録されていません。")
        self.name = name


class ProcessNotFound(NotFound):
    def __init__(self, key: str) -> None:
        super().__init__(f"プロセス「{key}」は配備されていません。")
        self.key = key


class DeploymentNotFound(NotFound):
    def __init__(self, deployment: int) -> None:
        super().__init__(f"配備 {deployment} は見つかりません。")
        self.deployment = deployment


class StartNotFound(NotFound):
    def __init__(self, start: str) -> None:
        super().__init__(f"「{start}」という始め方はありません。")
        self.start = start


class MessageNotFound(NotFound):
    def __init__(self, message: str) -> None:
        super().__init__(f"「{message}」という知らせはありません。")
        self.message = message


class RevisionNotFound(NotFound):
    def __init__(self, revision: int) -> None:
        super().__init__(f"改訂案 {revision} は見つかりません。")
        self.revision = revision


class FilterNotFound(NotFound):
    def __init__(self, number: int) -> None:
        super().__init__("この絞り込みは見つかりません。")
        self.number = number


class ValueNotRecorded(NotFound):
    def __init__(self, chain: str, seq: int, number: int) -> None:
        super().__init__(f"履歴 {chain} の {seq} 番目に、消去できる値 {number} はありません。")
        self.chain, self.seq, self.number = chain, seq, number


# No right -----------------------------------------------------------------------------------------------


class NotAllowed(EngineError):
    """This person has no right to do this."""


class NotAnOperator(NotAllowed):
    def __init__(self, actor: str) -> None:
        super().__init__(f"障害を扱えるのは、すべての事案を読める担当の方です(「{actor}」さんは違います)。")
        self.actor = actor


class TaskNotYours(NotAllowed):
    """The task is for another person or group."""

    def __init__(self, task: int, actor: str) -> None:
        super().__init__("この作業は、別の担当の方のものです。")
        self.task, self.actor = task, actor


class CannotBeAssigned(NotAllowed):
    """The person who should get the task may not do it."""

    def __init__(self, task: int, person: str) -> None:
        super().__init__(f"「{person}」さんは、この作業の担当になれません。候補の中から選んでください。")
        self.task, self.person = task, person


class StartNotYours(NotAllowed):
    def __init__(self, start: str) -> None:
        super().__init__("この手続きは、ほかの担当の方が始めるものです。")
        self.start = start


class MessageNotYours(NotAllowed):
    def __init__(self, message: str) -> None:
        super().__init__("この知らせは、ほかの担当の方が送るものです。")
        self.message = message


class MayOnlyRead(NotAllowed):
    def __init__(self) -> None:
        super().__init__("この役割では、読むことだけができます。")


class RevisionNotYours(NotAllowed):
    """Writing is for process owners, approving for approvers who wrote nothing of it themselves."""


# Too late, or somebody else was first -------------------------------------------------------------------


class Conflict(EngineError):
    """What is there now is not what the person saw."""


class StaleInstance(Conflict):
    """Another step of the same instance was stored in between; trying again may succeed."""

    def __init__(self, instance: int) -> None:
        super().__init__("ほかの方の操作と重なりました。もう一度お試しください。")
        self.instance = instance


class TaskAlreadyClosed(Conflict):
    """`by` completed the task at `at`; None if the process took it back."""

    def __init__(self, task: int, by: str | None, at: datetime) -> None:
        when = f"{at:%Y-%m-%d %H:%M}"
        told = f"「{by}」さんが {when} に済ませています。" if by else f"{when} に不要になりました。"
        super().__init__(f"この作業は、{told}")
        self.task, self.by, self.at = task, by, at


class TaskAlreadyClaimed(Conflict):
    def __init__(self, task: int, by: str) -> None:
        super().__init__(f"この作業は、「{by}」さんが引き受けています。")
        self.task, self.by = task, by


class IllegalMove(Conflict):
    """No such change of state exists."""

    def __init__(self, old: str, new: str) -> None:
        super().__init__(f"「{old}」から「{new}」へは移れません。")
        self.old, self.new = old, new


class InstanceEnded(Conflict):
    def __init__(self, instance: int) -> None:
        super().__init__(f"プロセスの実行 {instance} は、すでに終わっています。")
        self.instance = instance


class RevisionChanged(Conflict):
    """Somebody changed the revision, or a file of it, after the person had read it; nothing was overwritten."""

    def __init__(self, by: str, at: datetime) -> None:
        super().__init__(f"「{by}」さんが {at:%Y-%m-%d %H:%M} に変更しています。上書きはしていません。")
        self.by, self.at = by, at


class RevisionOutdated(Conflict):
    """Another version was deployed since the revision was begun."""

    def __init__(self, base: int, newest: int) -> None:
        super().__init__(
            f"この改訂案は第 {base} 版をもとにしていますが、いまは第 {newest} 版が使われています。"
            "「最新版に合わせる」を押して、確かめてから進めてください。"
        )
        self.base, self.newest = base, newest


# What was given is not right ----------------------------------------------------------------------------


class SubmissionInvalid(EngineError):
    """Nothing was taken; `errors` says for each field path what to do."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("\n".join(f"{path}: {message}" for path, message in errors.items()))
        self.errors = dict(errors)


class DraftTooLarge(EngineError):
    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"下書きが大きすぎます({size} バイト、上限 {limit})。文章を短くすると保存できます。")
        self.size, self.limit = size, limit


class CommentInvalid(EngineError):
    """The comment says nothing, or too much at once."""


class FilterInvalid(EngineError):
    """The filter has no name, or holds too much."""


class PurposeMissing(EngineError):
    """What is taken out of the system needs a reason that history can keep."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"何のために書き出すのかを、{limit} 字までで書いてください。")
        self.limit = limit


class AddressInvalid(EngineError):
    def __init__(self, address: str) -> None:
        super().__init__("メールアドレスの形になっていません。「名前@会社のドメイン」の形で書いてください。")
        self.address = address


class Finding(Protocol):
    """One thing in a file that must be mended."""

    @property
    def file(self) -> str: ...
    @property
    def element_id(self) -> str: ...
    @property
    def element_name(self) -> str: ...
    @property
    def message(self) -> str: ...


class DeploymentRejected(EngineError):
    """Nothing was deployed; `findings` holds every reason, of every file."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("\n".join(map(str, findings)))
        self.findings = findings


class FileUnreadable(EngineError):
    """A file given by a person cannot be used; the message says which, where and why."""


class CheckpointInvalid(EngineError):
    """A file is no checkpoint; it was damaged or replaced."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(f"{file} は正しいチェックポイントではありません({reason})。")
        self.file, self.reason = file, reason


class SealedHistoryGone(EngineError):
    """What the last checkpoint sealed is not there, as after a restore, so nothing is sealed beyond it."""


class RestoreNotRecorded(EngineError):
    """What is missing cannot be recorded as lost by a restore; the message says why."""


class FileRefused(EngineError):
    """A file was not taken; the message says which, why, and what to do."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"「{name}」は読み込めません。{reason}")
        self.name, self.reason = name, reason


class RevisionUnfinished(EngineError):
    """The revision cannot go on like this; the message says what is missing."""


class TooManySteps(EngineError):
    """Messages between instances go round in a circle; nothing was stored."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"メッセージのやりとりが {limit} 回を超えました。プロセスが回り続けていないか確かめてください。"
        )
        self.limit = limit


class NotRecordable(EngineError):
    """A fact has no exact canonical form, so nothing of the step was stored."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"履歴に正確に書けない値があります({reason})。整数は 9007199254740991 までです。")
