"""Reads FEEL text into syntax (DMN 1.5 clause 10.3.1.2)."""

from __future__ import annotations

from typing import Final

from engine.feel import builtins, syntax
from engine.feel.errors import FeelFault, FeelSyntaxError
from engine.feel.lexer import KEYWORDS, Token, syntax_error, unescaped
from engine.feel.operations import negate
from engine.feel.reader import BUILTIN_NAMES, MAX_NESTING, Reader
from engine.feel.syntax import Node, height
from engine.feel.types import ANY, Type
from engine.feel.values import number

MAX_HEIGHT: Final = 100  # levels of the parsed form, chains of one operator included

_OR, _AND, _COMPARISON, _SUM, _PRODUCT, _POWER, _NEGATION = range(7)
_COMPARATORS: Final = frozenset({"=", "!=", "<", "<=", ">", ">="})
_BINARY: Final = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "**": _POWER}
_CONSTANTS: Final = {"true": syntax.Literal(True), "false": syntax.Literal(False), "null": syntax.Literal(None)}
_FILTER_STARTS: Final = frozenset({"(", "[", "{", "@", "-"})


class Parser(Reader):
    """Reads one text as an expression or as unary tests."""

    # Whole texts

    def expression(self) -> Node:
        """The whole text as one expression."""
        node = self._expression()
        if self._token.kind != "end":
            raise self._unexpected("an operator or the end of the text")
        self._check_height(node)
        return node

    def unary_tests(self) -> tuple[tuple[Node, ...] | None, bool]:
        """The tests (None for `-`), and whether they stand in `not( … )`."""
        if self._is("-") and self._tokens[self._position + 1].kind == "end":
            return None, False
        self._bound.append("?")
        negated = self._negated_tests()
        if negated is not None:
            return negated, True
        found = self._tests()
        if self._token.kind != "end":
            raise self._unexpected("',' or the end of the text")
        return found, False

    def _negated_tests(self) -> tuple[Node, ...] | None:
        """The tests within `not( … )` if that is the whole text; else None, and nothing is read."""
        if not (self._is("not") and self._tokens[self._position + 1].text == "("):
            return None
        position, depth, bound = self._position, self._depth, len(self._bound)
        self._position += 2
        try:
            found = self._tests()
            self._expect(")")
        except FeelSyntaxError:
            found = ()
        if found and self._token.kind == "end":
            return found
        self._position, self._depth = position, depth
        self._unbind(bound)
        return None

    def _tests(self) -> tuple[Node, ...]:
        found = [self._expression()]
        while self._accept(","):
            found.append(self._expression())
        for node in found:
            self._check_height(node)
        return tuple(found)

    def _check_height(self, node: Node) -> None:
        if height(node) > MAX_HEIGHT:
            message = "the expression is too deep"
            raise syntax_error(self._text, 0, message, f"at most {MAX_HEIGHT} operators in a row or within each other")

    # Operators

    def _expression(self, level: int = _OR) -> Node:
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise self._unexpected(f"at most {MAX_NESTING} levels of nesting")
        node = self._operators(self._operand(), level)
        self._depth -= 1
        return node

    def _operators(self, node: Node, level: int) -> Node:
        while (extended := self._operator(node, level)) is not None:
            node = extended
        return node

    def _operator(self, node: Node, level: int) -> Node | None:
        """The node extended by one operator of at least `level`, or None if there is none."""
        token = self._token
        if token.kind not in ("symbol", "name"):
            return None
        operator = token.text
        if operator in _BINARY and _BINARY[operator] >= level:
            self._position += 1
            return syntax.Arithmetic(operator, node, self._expression(_BINARY[operator] + 1))
        if level <= _COMPARISON and operator in _COMPARATORS:
            self._position += 1
            if self._is(*_COMPARATORS):
                raise self._unexpected("a value")
            return syntax.Comparison(operator, node, self._expression(_SUM))
        if token.kind == "name":
            return self._word_operator(node, operator, level)
        return None

    def _word_operator(self, node: Node, operator: str, level: int) -> Node | None:
        if operator == "instance":
            self._position += 1
            self._expect("of")
            return syntax.InstanceOf(node, self._type())
        if level <= _COMPARISON and operator == "between":
            self._position += 1
            low = self._expression(_SUM)
            self._expect("and")
            return syntax.Between(node, low, self._expression(_SUM))
        if level <= _COMPARISON and operator == "in":
            self._position += 1
            return syntax.In(node, self._in_tests())
        if level <= _AND and operator == "and":
            return syntax.Conjunction(self._operands(node, "and", _COMPARISON))
        if level <= _OR and operator == "or":
            return syntax.Disjunction(self._operands(node, "or", _AND))
        return None

    def _operands(self, first: Node, operator: str, level: int) -> tuple[Node, ...]:
        operands = [first]
        while self._accept(operator):
            operands.append(self._expression(level))
        return tuple(operands)

    def _in_tests(self) -> tuple[Node, ...]:
        if not self._is("("):
            return (self._expression(_SUM),)
        start = self._position
        self._position += 1
        found = [self._expression()]
        if self._is("..") or (self._is(")") and not isinstance(found[0], syntax.Comparator)):
            self._position = start
            return (self._expression(_SUM),)
        while self._accept(","):
            found.append(self._expression())
        self._expect(")")
        return tuple(found)

    # Operands

    def _operand(self) -> Node:
        token = self._token
        if token.kind == "symbol" and token.text == "-":
            return self._negation()
        if token.kind == "symbol" and token.text in _COMPARATORS:
            self._position += 1
            return syntax.Comparator(token.text, self._expression(_SUM))
        return self._postfix(self._primary())

    def _negation(self) -> Node:
        self._position += 1
        token = self._token
        if token.kind == "number":
            self._position += 1
            return self._postfix(syntax.Literal(negate(self._number(token).value)))
        return syntax.Negation(self._expression(_NEGATION))

    def _number(self, token: Token) -> syntax.Literal:
        try:
            return syntax.Literal(number(token.text))
        except FeelFault as fault:
            raise syntax_error(self._text, token.start, fault.message, "a number of decimal128") from fault

    def _primary(self) -> Node:
        token = self._token
        if token.kind == "name":
            return self._name_or_keyword()
        self._position += 1
        if token.kind == "number":
            return self._number(token)
        if token.kind == "string":
            return syntax.Literal(unescaped(token.text))
        match token.text:
            case "(":
                return self._parenthesis()
            case "[":
                return self._bracket()
            case "]":
                return self._interval(self._expression(_SUM), False)
            case "{":
                return self._context()
            case "@" if self._token.kind == "string":
                self._position += 1
                return syntax.AtLiteral(unescaped(self._tokens[self._position - 1].text))
        self._position -= 1
        raise self._unexpected("a value")

    def _postfix(self, node: Node) -> Node:
        while True:
            if self._accept("."):
                node = syntax.Path(node, self._member())
            elif self._is("[") and not self._closes_interval():
                self._position += 1
                node = self._filter(node)
            elif self._is("("):
                self._position += 1
                node = self._call(node)
            else:
                return node

    def _closes_interval(self) -> bool:
        """Whether a `[` is the open end of `]1..10[`, which no expression can follow."""
        if self._depth != self._interval_depth:
            return False
        following = self._tokens[self._position + 1]
        if following.kind in ("number", "string"):
            return False
        if following.kind == "name":
            return following.text in KEYWORDS - {"if", "for", "some", "every", "function", *_CONSTANTS}
        return following.text not in _FILTER_STARTS

    def _parenthesis(self) -> Node:
        node = self._expression()
        if self._is(".."):
            return self._interval(node, False)
        self._expect(")")
        return node

    def _bracket(self) -> Node:
        if self._is("]") and not self._opens_interval():
            self._position += 1
            return syntax.ListDisplay(())
        first = self._expression()
        if self._is(".."):
            return self._interval(first, True)
        items = [first]
        while self._accept(","):
            items.append(self._expression())
        self._expect("]")
        return syntax.ListDisplay(tuple(items))

    def _opens_interval(self) -> bool:
        """Whether a `]` after `[` is the open start of a list's first item, as in `[]1..10[]`."""
        following = self._tokens[self._position + 1]
        if following.kind == "name":
            return following.text not in KEYWORDS
        return following.kind in ("number", "string") or following.text == "@"

    def _interval(self, start: Node, start_included: bool) -> Node:
        self._expect("..")
        outer, self._interval_depth = self._interval_depth, self._depth + 1
        end = self._expression(_SUM)
        self._interval_depth = outer
        return syntax.Interval(start, end, start_included, self._expect("]", ")", "[") == "]")

    def _filter(self, node: Node) -> Node:
        self._filters += 1
        with self._names("item"):
            condition = self._expression()
        self._filters -= 1
        self._expect("]")
        return syntax.Filter(node, condition)

    def _call(self, function: Node) -> Node:
        positional: list[Node] = []
        named: list[tuple[str, Node]] = []

        def argument() -> None:
            colon = self._colon()
            if colon is None:
                positional.append(self._expression())
            else:
                name = self._spelled(colon)
                self._expect(":")
                named.append((name, self._expression()))
            if named and positional:
                raise self._unexpected("arguments either all named or all by position")

        self._separated(argument, ")")
        return syntax.NamedCall(function, tuple(named)) if named else syntax.Call(function, tuple(positional))

    def _context(self) -> Node:
        entries: list[tuple[str, Node]] = []

        def entry() -> None:
            if self._token.kind == "string":
                key = unescaped(self._token.text)
                self._position += 1
            else:
                key = self._spelled(self._end_of_name(":"))
            self._expect(":")
            entries.append((key, self._expression()))
            self._bind(key)

        bound = len(self._bound)
        self._separated(entry, "}")
        self._unbind(bound)
        return syntax.ContextDisplay(tuple(entries))

    # Words

    def _name_or_keyword(self) -> Node:
        word = self._token.text
        known = self._known.match(self._tokens, self._position)
        if known is not None and known[1] > 1:
            return self._name()
        if word in KEYWORDS:
            self._position += 1
            if word in _CONSTANTS:
                return _CONSTANTS[word]
            match word:
                case "if":
                    return self._if()
                case "for":
                    return self._for()
                case "some" | "every":
                    return self._quantified(word == "every")
                case "function" if self._is("("):
                    return self._function()
            self._position -= 1
            raise self._unexpected("a value")
        return self._name()

    def _name(self) -> syntax.Name:
        name = self._longest((self._known, BUILTIN_NAMES))
        own = name in self._bound or name == "?"
        if not own and (name in self._given or not (self._filters or name in builtins.FUNCTIONS)):
            self.free.add(name)
        return syntax.Name(name)

    def _if(self) -> Node:
        condition = self._expression()
        self._expect("then")
        then = self._expression()
        self._expect("else")
        return syntax.If(condition, then, self._expression())

    def _for(self) -> Node:
        bound = len(self._bound)
        iterations = self._iterations()
        self._expect("return")
        self._bind("partial")
        result = self._expression()
        self._unbind(bound)
        return syntax.For(iterations, result)

    def _quantified(self, every: bool) -> Node:
        bound = len(self._bound)
        iterations = self._iterations()
        self._expect("satisfies")
        condition = self._expression()
        self._unbind(bound)
        return syntax.Quantified(every, iterations, condition)

    def _iterations(self) -> tuple[syntax.Iteration, ...]:
        found: list[syntax.Iteration] = []
        while not found or self._accept(","):
            name = self._spelled(self._end_of_name("in"))
            self._expect("in")
            domain = self._expression()
            end = self._expression() if self._accept("..") else None
            found.append(syntax.Iteration(name, domain, end))
            self._bind(name)
        return tuple(found)

    def _function(self) -> Node:
        parameters: list[tuple[str, Type]] = []

        def parameter() -> None:
            name = self._spelled(self._end_of_name(":", ",", ")"))
            parameters.append((name, self._type() if self._accept(":") else ANY))

        self._expect("(")
        self._separated(parameter, ")")
        external = self._accept("external")
        with self._names(*(name for name, _ in parameters)):
            body = self._expression()
        return syntax.FunctionDefinition(tuple(parameters), None if external else body)
