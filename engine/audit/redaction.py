"""What a person may not read back of a case: the marked fields of its forms, and every copy of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import bundles, concealments, feel, forms, tables
from engine.identity import Person

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Redaction:
    """What a person may not read back: the marked fields of every form of the case's bundles, and who is concealed."""

    business_key: str
    forms: Mapping[str, forms.Form]
    hidden: frozenset[str]
    marks: frozenset[str]
    concealed: concealments.Concealed

    @classmethod
    def for_case(cls, session: Session, business_key: str, person: Person) -> Redaction:
        table, definitions = tables.ProcessInstance, tables.ProcessDefinition
        deployments_of_case = (
            select(definitions.deployment_id)
            .join(table, definitions.id == table.definition_id)
            .where(table.business_key == business_key)
            .distinct()
        )
        found: dict[str, forms.Form] = {}
        for deployment in sorted(session.execute(deployments_of_case).scalars()):
            found |= bundles.of_deployment(session, deployment).forms
        hidden = {key for form in found.values() for key in _marked(form.body, person.marks)}
        concealed = concealments.from_reader(session, person, [business_key])
        return cls(business_key, found, frozenset(hidden), person.marks, concealed)

    @property
    def withholds(self) -> bool:
        return bool(self.hidden or self.concealed.until)

    def of_variables(self, values: Mapping[str, feel.Value]) -> dict[str, feel.Value]:
        readable = {name: self._of_value(name, value) for name, value in values.items() if name not in self.hidden}
        return {name: self.concealed.value(self.business_key, value) for name, value in readable.items()}

    def of_recorded(self, kind: str, name: str, value: feel.Value, form_id: str | None) -> feel.Value:
        """What stays of a value in history; the input of a decision goes if its expression reads a hidden name."""
        form = self.forms.get(form_id or "")
        if kind == "field" and form is not None:
            readable = forms.redact(form, {name: value}, self.marks).get(name)
        else:
            readable = None if self.hides(kind, name) else self._of_value(name, value)
        return self.concealed.value(self.business_key, readable)

    def hides(self, kind: str, name: str) -> bool:
        """Whether nothing of a value of this kind and name may be seen."""
        return not self.hidden.isdisjoint(_read(name)) if kind == "decision_input" else name in self.hidden

    def _of_value(self, name: str, value: feel.Value) -> feel.Value:
        """A form's context without its hidden fields; elsewhere a hidden name goes at any depth, for it is a copy."""
        form = self.forms.get(name)
        if isinstance(value, dict):
            return self.of_variables(value) if form is None else forms.redact(form, value, self.marks)
        return [self._of_value("", item) for item in value] if isinstance(value, list) else value


@lru_cache(maxsize=1024)
def _read(expression: str) -> frozenset[str]:
    """The names in an expression; a case evaluates the same few again and again."""
    return frozenset(_WORD.findall(expression))


def _marked(fields: forms.Fields, marks: frozenset[str]) -> set[str]:
    own = {key for key, field in fields.by_key.items() if field.visibility not in (None, *marks)}
    return own.union(*(_marked(field.fields, marks) for field in fields.by_key.values() if field.kind == "list"))
