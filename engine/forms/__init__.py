"""Forms: form-js `.form` files in, typed values out. Pure; imports nothing of the project but feel.

Beyond form-js a component may carry these `properties` (texts): `visibility` (a mark; only some may read the
value back), `grants` (what the chosen person is let into), `conceals` (a mark; where the checkbox is ticked, only some
are told who completed the form), `check` (`=FEEL` that must be true while the field is visible) with `checkMessage` (a
sentence, or `=FEEL` giving one), and `default` (`=FEEL` that replaces an empty value). `validate.required` on a list
asks for one row at least.
"""

from engine.forms.errors import Finding, FormError, FormFault, FormInvalid, SubmissionRejected
from engine.forms.model import Field, Fields, Form, Formula, Option, concealed_under, redact
from engine.forms.posting import from_pairs
from engine.forms.reader import KINDS, read
from engine.forms.schema import json_schema
from engine.forms.submission import Submission, submit
from engine.forms.views import FieldView, FormView, fill

COMPONENTS = frozenset(KINDS)
"""The types of form-js component that a form can be made of."""

__all__ = [
    "COMPONENTS",
    "Field",
    "FieldView",
    "Fields",
    "Finding",
    "Form",
    "FormError",
    "FormFault",
    "FormInvalid",
    "FormView",
    "Formula",
    "Option",
    "Submission",
    "SubmissionRejected",
    "concealed_under",
    "fill",
    "from_pairs",
    "json_schema",
    "read",
    "redact",
    "submit",
]
