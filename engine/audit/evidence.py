"""The evidence package: everything about one case in a zip, with the proofs and what checks them, for outsiders.

Its files are what `verify_evidence` expects; the export is itself an event of the case, with its purpose.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import rfc8785
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import accesses, tables
from engine.audit import checkpoint_keys, checkpoints, evidence_report, verify_evidence
from engine.audit.checkpoints import Checkpoint, Sealing
from engine.database import Database
from engine.errors import CaseNotFound, SealedHistoryGone
from engine.history import instant

FORMAT = 1
KIND = "mamori evidence"

README = """\
証拠パッケージ(事案 {case})

これは何か
  業務システム Mamori が記録した、一つの事案のすべての出来事と、その記録が後から
  変えられていないことを、システムを信用しなくても確かめるための材料です。

入っているもの
  report.html              経過を読むための報告書(ブラウザで開きます)
  events.json              記録された出来事と値のすべて
  readings.json            この事案を、誰がいつ開いたかの記録
  definitions/             その時に使われていた手順、判断表、フォームのファイル
  proofs/checkpoints/      封印(チェックポイント)。電子署名された小さなファイルです
  proofs/public_key.txt    署名を確かめるための公開鍵
  verify.py                確かめるためのプログラム(中身は誰でも読める Python です)
  manifest.json            このパッケージのファイルの一覧と署名

確かめ方
  1. Python 3.11 以上を入れ、次を実行します(このときだけネットワークが要ります)。
         pip install cryptography
  2. このフォルダで、次を実行します。ネットワークは要りません。
         python verify.py --key 公開鍵
     「公開鍵」には、この会社から別の方法(書面など)で受け取り、書き留めてあるものを
     入れてください。手元にチェックポイントを保管している場合は、
         python verify.py --key 公開鍵 --checkpoint 保管しているファイル
     とすると、それより前のことは、鍵を持つ人でも変えられなかったことまで確かめられます。
  3. 「すべて記録どおりです。」と出れば、確かめられました。違いがあれば、最初の箇所と
     何をされたかが表示されます。

何が証明されるか
  - 出来事は、一つ前の出来事のハッシュ値(SHA-256)を含みます。一つでも変え、消し、
    入れ替え、差し込むと、つながりが切れます。
  - 各連鎖の最新のハッシュ値は、定期的に Ed25519 で署名され、データベースの外に置かれます。
    そのため、末尾の切り取りや、連鎖を丸ごと作り直すことも見つかります。
  - 値は、ソルトを加えたハッシュ値として出来事に含まれます。法令などに基づいて消去された
    値は「消去」と表示されますが、ほかの証明は損なわれません。
  - 封印は、この事案がその前の封印から何回、誰にいつ開かれたかのハッシュ値と、それまでの
    合計も含みます。閲覧の記録を変え、消し、差し込むと、合わなくなります。
  - データベースがバックアップから復元されたときは、その記録も封印されます。いつ誰が何のために
    記録したかと、この事案から何が失われたかが、報告書と確かめた結果に表示されます。

何は証明されないか
  - 記録された内容が事実であること(入力した人が正しく書いたこと)は証明されません。
  - 「まだ封印されていない出来事」は、最後の封印より後のもので、署名はこのパッケージの
    書き出し時のものだけです。最後の封印より後の閲覧も同じです。
  - 出来事の時刻は、記録したコンピューターの時計によります。
  - 公開鍵を別の方法で確かめないと、パッケージ全体の作り直しは見つかりません。

書き出し
  {at} に {by} が、次の目的で書き出しました。この書き出しも事案の記録に残っています。
  目的: {purpose}
"""


def export(database: Database, sealing: Sealing, business_key: str, *, purpose: str, by: str, at: datetime) -> bytes:
    """The package as the bytes of a zip; the case's history says who exported it for what, and is sealed to its end.

    Raises CaseNotFound, PurposeMissing, FileUnreadable, CheckpointInvalid.
    """
    record(database, business_key, "evidence", purpose=purpose, by=by, at=at)
    with suppress(SealedHistoryGone):  # who checks the package is told
        checkpoints.make(database, sealing, at=at)
    key = checkpoint_keys.read(sealing.key)
    with database.reading() as session:
        files = _files(session, sealing, business_key)
    told = {"case": business_key, "at": f"{at:%Y-%m-%d %H:%M}", "by": by, "purpose": purpose.strip()}
    files |= {
        "README.txt": README.format(**told).encode(),
        "verify.py": Path(verify_evidence.__file__).read_bytes(),
        "proofs/public_key.txt": f"{key.public}\n".encode(),
    }
    manifest: dict[str, Any] = {
        **told,
        "kind": KIND,
        "format": FORMAT,
        "at": instant(at),
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        "key": key.public,
    }
    manifest["signature"] = key.sign(rfc8785.dumps(manifest))
    return _packed({**files, verify_evidence.MANIFEST: rfc8785.dumps(manifest)}, at)


def record(database: Database, business_key: str | None, format: str, *, purpose: str, by: str, at: datetime) -> None:
    """History says who exported this case (or all of them) in which format for what.

    Raises CaseNotFound, PurposeMissing.
    """

    def work(session: Session) -> None:
        known = select(tables.Case.business_key).where(tables.Case.business_key == business_key)
        if business_key is not None and session.execute(known).first() is None:
            raise CaseNotFound(business_key)
        accesses.exported(session, format, purpose=purpose, by=by, at=at, business_key=business_key)

    database.retrying(work)


def _files(session: Session, sealing: Sealing, business_key: str) -> dict[str, bytes]:
    chains = chains_of(session, business_key)
    definitions = {event["definition"] for events in chains.values() for event in events} - {None}
    deployed = _definitions(session, definitions)
    readings = _readings(session, business_key)
    kept = [checkpoints.read(path) for path in checkpoints.files(sealing.folder)]
    return {
        "report.html": evidence_report.html(
            session, business_key, chains, readings, [each.restored for each in kept if each.restored is not None]
        ),
        verify_evidence.EVENTS: rfc8785.dumps({"chains": chains}),
        verify_evidence.READINGS: rfc8785.dumps({"readings": readings}),
        **{f"{verify_evidence.DEFINITIONS}{digest}/{name}": content for (digest, name), content in deployed.items()},
        **{
            f"{verify_evidence.CHECKPOINTS}{checkpoints.name_of(each.number)}": each.content
            for each in _needed(kept, business_key)
        },
    }


def chains_of(session: Session, business_key: str) -> dict[str, list[dict[str, Any]]]:
    """Every event of the case as it was hashed, with its hash and its values, by chain."""
    table, values = tables.HistoryEvent, tables.HistoryValue
    own = select(table.id).where(table.business_key == business_key)
    columns = (values.event_id, values.kind, values.name, values.value, values.salt)
    stored: dict[int, list[dict[str, Any]]] = {}
    query = select(*columns).where(values.event_id.in_(own)).order_by(values.event_id, values.number)
    for event, kind, name, text, salt in session.execute(query):
        stored.setdefault(event, []).append({"kind": kind, "name": name, "value": text, "salt": salt})
    chains: dict[str, list[dict[str, Any]]] = {}
    rows = session.execute(
        select(*table.__table__.columns).where(table.business_key == business_key).order_by(table.chain, table.seq)
    )
    for row in rows:
        said = row._asdict()
        number = said.pop("id")
        told = {"type": str(row.type), "at": instant(row.at), "values": stored.get(number, [])}
        chains.setdefault(row.chain, []).append(said | told)
    return chains


def _readings(session: Session, business_key: str) -> list[dict[str, Any]]:
    """Who opened the case when, the first first, as checkpoints seal it."""
    table = tables.CaseReading
    query = select(table.id, table.person, table.page, table.at).where(table.business_key == business_key)
    return [
        {"id": number, "person": person, "page": page, "at": instant(at)}
        for number, person, page, at in session.execute(query.order_by(table.id))
    ]


def _definitions(session: Session, digests: set[str]) -> dict[tuple[str, str], bytes]:
    """The files of these deployments, by digest and name."""
    table, resources = tables.Deployment, tables.Resource
    query = select(table.digest, resources.name, resources.content).join(table, table.id == resources.deployment_id)
    return {
        (digest, name): content for digest, name, content in session.execute(query.where(table.digest.in_(digests)))
    }


def _needed(kept: Sequence[Checkpoint], business_key: str) -> list[Checkpoint]:
    """Those that seal the case, those that introduce a key or tell of a restore, the first and the newest."""
    return [
        each
        for each in kept
        if each in (kept[0], kept[-1])
        or each.introduction is not None
        or each.restored is not None
        or any(head.case == business_key for head in each.heads.values())
        or (each.readings is not None and business_key in each.readings["cases"])
    ]


def _packed(files: Mapping[str, bytes], at: datetime) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, at.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            package.writestr(entry, content)
    return packed.getvalue()
