"""Compiling the boxed expressions of one element of a file."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from lxml import etree

from engine import feel
from engine.dmn import boxed
from engine.dmn.boxed import Boxed, Broken, Variable
from engine.dmn.conditions import Conditions
from engine.dmn.item_definitions import TypeNames
from engine.dmn.tables import (
    Aggregation,
    Cell,
    DecisionTable,
    HitPolicy,
    InputClause,
    OutputClause,
    Rule,
)
from engine.dmn.types import ANY, FunctionType, Reference, Type, allowed_text
from engine.dmn.xml import Findings, child, children, local_name, text_at
from engine.feel import Environment, Expression, FeelSyntaxError, UnaryTests, Value
from engine.feel.syntax import Literal, Name

ANNOTATION_SEPARATOR = " / "
Cells = dict[tuple[int, str], Cell]  # by column and text
_HIT_POLICIES = {policy.value: policy for policy in HitPolicy}
_AGGREGATIONS = {aggregation.value: aggregation for aggregation in Aggregation}


@dataclass(frozen=True, slots=True)
class Compiler:
    """Turns the logic of one element into boxed expressions; `names` are all names that can be in scope."""

    names: tuple[str, ...]
    types: TypeNames
    predicates: Mapping[str, Callable[[Value, Environment], bool]]
    findings: Findings
    owner: Variable

    def compile(self, element: etree._Element) -> Boxed:
        """Return the compiled expression; what is not understood is reported and yields null."""
        return _READERS[local_name(element)](self, element)

    def inside(self, parent: etree._Element, *path: str) -> Boxed:
        """Return the expression below the parent, or below a child of it; a missing one is reported."""
        found: etree._Element | None = parent
        for name in path:
            found = None if found is None else child(found, name)
        expression = None if found is None else child(found, *EXPRESSIONS)
        if expression is None:
            return self.broken(parent, "式がありません。")
        return self.compile(expression)

    def broken(self, element: etree._Element, message: str) -> Broken:
        return Broken(self.findings.break_off(element, message))

    def variable(self, element: etree._Element) -> Variable:
        return Variable(element.get("name", ""), self.types.named(element.get("typeRef", ""), element))

    def function(self, element: etree._Element, variable: Variable) -> boxed.FunctionDefinition:
        """Return the function that an encapsulatedLogic or functionDefinition defines, under this name."""
        parameters = tuple(map(self.variable, children(element, "formalParameter")))
        return boxed.FunctionDefinition(variable.name, parameters, self._body(element), _result_type(variable.type))

    def _body(self, element: etree._Element) -> Boxed:
        kind = element.get("kind", "FEEL")
        if kind != "FEEL":
            return self.broken(element, f"外部の関数({kind})は使えません。FEEL で書いてください。")
        return self.inside(element)

    def feel(self, element: etree._Element, text: str) -> Boxed:
        """Return the literal expression of the text, broken where it is not FEEL."""
        parsed = self.parsed(element, text)
        if isinstance(parsed, Broken):
            return parsed
        syntax = parsed.syntax
        return boxed.Constant(parsed, syntax.value) if isinstance(syntax, Literal) else boxed.Literal(parsed)

    def parsed(self, element: etree._Element, text: str) -> Expression | Broken:
        language = element.get("expressionLanguage", "FEEL")
        if "feel" not in language.lower():
            return self.broken(element, f"式の言語 {language} は使えません。FEEL で書いてください。")
        try:
            return feel.parse_expression(text, self.names, self.predicates)
        except FeelSyntaxError as fault:
            return self.broken(element, f"「{text}」を FEEL として読めません: {fault}")

    def unary_tests(self, element: etree._Element, text: str) -> UnaryTests | Broken | None:
        """Return the compiled tests, None where any value will do."""
        if text in ("", "-"):
            return None
        try:
            return feel.parse_unary_tests(text, self.names, self.predicates)
        except FeelSyntaxError as fault:
            return self.broken(element, f"「{text}」を FEEL の条件として読めません: {fault}")


def names_in(element: etree._Element) -> Iterator[str]:
    """Yield every name that the logic below the element declares."""
    for each in element.iter(etree.Element):
        if local_name(each) in ("variable", "formalParameter", "parameter", "output", "column"):
            yield each.get("name", "")
        yield each.get("iteratorVariable", "")


def type_refs_in(element: etree._Element) -> Iterator[str]:
    """Yield the typeRef of everything below the element."""
    for each in element.iter(etree.Element):
        yield each.get("typeRef", "")


def _result_type(type_: Type) -> Type:
    """Return what the function of a variable returns: older files give the variable that type itself."""
    while isinstance(type_, Reference):
        type_ = type_.definitions[type_.name]
    return type_.result if isinstance(type_, FunctionType) else type_


def _literal(compiler: Compiler, element: etree._Element) -> Boxed:
    if child(element, "importedValues") is not None:
        return compiler.broken(element, "取り込んだ値(importedValues)は使えません。")
    text = text_at(element, "text")
    return compiler.feel(element, text) if text else compiler.broken(element, "式が空です。")


def _context(compiler: Compiler, element: etree._Element) -> Boxed:
    return boxed.Context(tuple(_entry(compiler, entry) for entry in children(element, "contextEntry")))


def _entry(compiler: Compiler, entry: etree._Element) -> boxed.Entry:
    named = child(entry, "variable")
    if named is None:
        return boxed.Entry(None, compiler.inside(entry))
    variable = compiler.variable(named)
    function = child(entry, "functionDefinition")
    if function is not None:
        return boxed.Entry(Variable(variable.name, ANY), compiler.function(function, variable))
    return boxed.Entry(variable, compiler.inside(entry))


def _list(compiler: Compiler, element: etree._Element) -> Boxed:
    return boxed.Listing(_all_inside(compiler, element))


def _all_inside(compiler: Compiler, element: etree._Element) -> tuple[Boxed, ...]:
    return tuple(map(compiler.compile, children(element, *EXPRESSIONS)))


def _relation(compiler: Compiler, element: etree._Element) -> Boxed:
    columns = tuple(map(compiler.variable, children(element, "column")))
    rows = tuple(_all_inside(compiler, row) for row in children(element, "row"))
    if any(len(row) != len(columns) for row in rows):
        return compiler.broken(element, f"列は {len(columns)} 個ですが、セルの数が合わない行があります。")
    return boxed.Relation(columns, rows)


def _function(compiler: Compiler, element: etree._Element) -> Boxed:
    return compiler.function(element, Variable("", ANY))


def _invocation(compiler: Compiler, element: etree._Element) -> Boxed:
    bindings: dict[str, Boxed] = {}
    for binding in children(element, "binding"):
        parameter = child(binding, "parameter")
        if parameter is None:
            return compiler.broken(binding, "引数の名前がありません。")
        bindings[parameter.get("name", "")] = compiler.inside(binding)
    return boxed.Invocation(compiler.inside(element), bindings)


def _conditional(compiler: Compiler, element: etree._Element) -> Boxed:
    return boxed.Conditional(*(compiler.inside(element, part) for part in ("if", "then", "else")))


def _filter(compiler: Compiler, element: etree._Element) -> Boxed:
    return boxed.Filter(compiler.inside(element, "in"), compiler.inside(element, "match"))


def _for(compiler: Compiler, element: etree._Element) -> Boxed:
    return boxed.For(
        variable=element.get("iteratorVariable", ""),
        source=compiler.inside(element, "in"),
        body=compiler.inside(element, "return"),
        shows_partial=any("partial" in text for text in element.itertext()),
    )


def _quantified(compiler: Compiler, element: etree._Element) -> Boxed:
    return boxed.Quantified(
        decisive=local_name(element) == "some",
        variable=element.get("iteratorVariable", ""),
        source=compiler.inside(element, "in"),
        condition=compiler.inside(element, "satisfies"),
    )


def _table(compiler: Compiler, element: etree._Element) -> Boxed:
    broken_before = len(compiler.findings.broken)
    policy = element.get("hitPolicy", "UNIQUE")
    if policy not in _HIT_POLICIES:
        return compiler.broken(element, f"ヒットポリシー「{policy}」はありません。")
    aggregation = element.get("aggregation") if policy == "COLLECT" else None
    if aggregation is not None and aggregation not in _AGGREGATIONS:
        return compiler.broken(element, f"集計「{aggregation}」はありません。")
    inputs = tuple(_input(compiler, clause) for clause in children(element, "input"))
    outputs = _outputs(compiler, element)
    rules = _rules(compiler, element, len(inputs), len(outputs))
    if aggregation is not None and len(outputs) > 1:
        compiler.broken(element, "出力が二つ以上ある表は集計できません。")
    if not outputs:
        compiler.broken(element, "出力の列がありません。")
    if len(compiler.findings.broken) > broken_before:
        return Broken(str(compiler.findings.broken[broken_before]))
    return DecisionTable(
        name=compiler.owner.name,
        hit_policy=_HIT_POLICIES[policy],
        aggregation=None if aggregation is None else _AGGREGATIONS[aggregation],
        inputs=inputs,
        outputs=outputs,
        rules=rules,
        conditions=tuple(Conditions.of([rule.cells[column].tests for rule in rules]) for column in range(len(inputs))),
    )


def _input(compiler: Compiler, clause: etree._Element) -> InputClause:
    expression = child(clause, "inputExpression")
    text = text_at(clause, "inputExpression", "text")
    if expression is None or not text:
        logic: Boxed = compiler.broken(clause, "入力の列に式がありません。")
        type_: Type = ANY
    else:
        logic = compiler.feel(expression, text)
        type_ = compiler.types.named(expression.get("typeRef", ""), expression)
    return InputClause(
        element_id=clause.get("id", ""),
        text=text,
        name=_variable_name(logic),
        expression=logic,
        type=type_,
        allowed=compiler.types.unary_tests(child(clause, "inputValues")),
        allowed_text=text_at(clause, "inputValues", "text"),
    )


def _variable_name(logic: Boxed) -> str | None:
    syntax = logic.expression.syntax if isinstance(logic, boxed.Literal) else None
    return syntax.name if isinstance(syntax, Name) else None


def _outputs(compiler: Compiler, table: etree._Element) -> tuple[OutputClause, ...]:
    clauses = list(children(table, "output"))
    names = [clause.get("name", "") for clause in clauses]
    if len(clauses) > 1 and ("" in names or len(set(names)) < len(names)):
        compiler.broken(table, "出力が二つ以上ある表では、出力の列にそれぞれ別の名前が必要です。")
    fallback = table.get("outputLabel") or compiler.owner.name
    return tuple(_output(compiler, clause, fallback, len(clauses) == 1) for clause in clauses)


def _output(compiler: Compiler, clause: etree._Element, fallback: str, alone: bool) -> OutputClause:
    name = clause.get("name") or fallback
    type_ = compiler.types.named(clause.get("typeRef", ""), clause)
    expected = compiler.owner.type if alone else _component(compiler.owner.type, name)
    allowed = text_at(clause, "outputValues", "text")
    default = text_at(clause, "defaultOutputEntry", "text")
    return OutputClause(
        element_id=clause.get("id", ""),
        name=name,
        type=type_,
        allowed=compiler.types.unary_tests(child(clause, "outputValues")),
        allowed_text=allowed,
        ranking=_ranking(allowed or allowed_text(type_) or allowed_text(expected)),
        default=compiler.feel(clause, default) if default else None,
    )


def _component(type_: Type, name: str) -> Type:
    return next((inner for component, inner in type_.components() if component == name), ANY)


def _ranking(text: str) -> Expression | None:
    """Return the output values as a list, first the highest; None where they are no list of values."""
    try:
        return feel.parse_expression(f"[{text}]") if text else None
    except FeelSyntaxError:
        return None


def _rules(compiler: Compiler, table: etree._Element, inputs: int, outputs: int) -> tuple[Rule, ...]:
    cells: Cells = {}
    rules: list[Rule] = []
    for index, rule in enumerate(children(table, "rule"), start=1):
        tests, conclusions = list(children(rule, "inputEntry")), list(children(rule, "outputEntry"))
        if (len(tests), len(conclusions)) != (inputs, outputs):
            columns = f"入力 {inputs}、出力 {outputs}"
            compiler.broken(rule, f"{index} 行目のセルの数が、表の列の数({columns})と合いません。")
        row = tuple(_cell(compiler, cells, column, entry) for column, entry in enumerate(tests))
        rules.append(
            Rule(
                index=index,
                element_id=rule.get("id", ""),
                cells=row,
                conclusions=tuple(_conclusion(compiler, entry) for entry in conclusions),
                annotation=_annotation(rule),
            )
        )
    return tuple(rules)


def _cell(compiler: Compiler, cells: Cells, column: int, entry: etree._Element) -> Cell:
    """Return the cell of this text in this column, compiled where it is the first."""
    text = text_at(entry, "text")
    if (column, text) not in cells:
        tests = compiler.unary_tests(entry, text)
        cells[column, text] = Cell(column, text, None if isinstance(tests, Broken) else tests)
    return cells[column, text]


def _conclusion(compiler: Compiler, entry: etree._Element) -> Boxed:
    """Return the output entry; modellers leave one empty, or write a dash, for null."""
    text = text_at(entry, "text")
    return compiler.feel(entry, "null" if text in ("", "-") else text)


def _annotation(rule: etree._Element) -> str:
    """The rule's description, which is what table editors show and change, else its annotation entries."""
    texts: Iterable[str] = (text_at(entry, "text") for entry in children(rule, "annotationEntry"))
    return text_at(rule, "description") or ANNOTATION_SEPARATOR.join(filter(None, texts))


_READERS: Mapping[str, Callable[[Compiler, etree._Element], Boxed]] = {
    "literalExpression": _literal,
    "decisionTable": _table,
    "context": _context,
    "list": _list,
    "relation": _relation,
    "functionDefinition": _function,
    "invocation": _invocation,
    "conditional": _conditional,
    "filter": _filter,
    "for": _for,
    "some": _quantified,
    "every": _quantified,
}

EXPRESSIONS = tuple(_READERS)
