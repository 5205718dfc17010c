"""Reading tokens: names, which may hold spaces and symbols, and types (DMN 1.5 clause 10.3.1.2)."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from engine.feel import builtins
from engine.feel.errors import FeelSyntaxError
from engine.feel.lexer import KEYWORDS, Token, syntax_error, tokens
from engine.feel.types import (
    ANY,
    BASIC_NAMES,
    BasicType,
    ContextType,
    FunctionType,
    ListType,
    NamedType,
    Predicate,
    RangeType,
    Type,
)

MAX_TEXT: Final = 50_000  # characters of one expression
MAX_BOUND: Final = 1_000  # names of iterations, parameters and entries in scope at one place
MAX_NESTING: Final = 64  # levels of expressions within each other

_NAME_SYMBOLS: Final = frozenset("+-*/.'’")
_TYPE_NAMES: Final = (*BASIC_NAMES, "Any", "list", "range", "context", "function")

Pattern = tuple[tuple[str, bool], ...]


class KnownNames:
    """Names in scope, found at a token by the longest match."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._by_first: dict[str, list[tuple[Pattern, str]]] = {}
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        pattern = _pattern(name)
        if pattern:
            known = self._by_first.setdefault(pattern[0][0], [])
            insort(known, (pattern, name), key=lambda entry: -len(entry[0]))

    def discard(self, name: str) -> None:
        """Takes one entry of the name away again."""
        pattern = _pattern(name)
        if pattern:
            self._by_first[pattern[0][0]].remove((pattern, name))

    def match(self, stream: list[Token], position: int) -> tuple[str, int] | None:
        """The longest known name at `position` and the number of its tokens."""
        for pattern, name in self._by_first.get(stream[position].text, ()):
            window = stream[position : position + len(pattern)]
            if len(window) == len(pattern) and all(
                token.text == text and (index == 0 or token.spaced == spaced)
                for index, (token, (text, spaced)) in enumerate(zip(window, pattern, strict=True))
            ):
                return name, len(pattern)
        return None


def _pattern(name: str) -> Pattern:
    """The tokens of a name, each with whether space precedes it; empty for a name no text can spell."""
    try:
        pieces = tokens(name)[:-1]
    except FeelSyntaxError:
        return ()
    return tuple((piece.text, index > 0 and piece.spaced) for index, piece in enumerate(pieces))


BUILTIN_NAMES: Final = KnownNames(builtins.FUNCTIONS)
_TYPES: Final = KnownNames(_TYPE_NAMES)


class Reader:
    """A place in a text, and the names in scope there; `free` holds the names read from outside."""

    def __init__(self, text: str, names: Iterable[str] = (), types: Mapping[str, Predicate] | None = None) -> None:
        if len(text) > MAX_TEXT:
            raise syntax_error(text, MAX_TEXT, "the text is too long", f"at most {MAX_TEXT} characters")
        self._text = text
        self._tokens = tokens(text)
        self._position = 0
        self._given = frozenset(names)
        self._known = KnownNames(self._given)
        self._members = KnownNames(self._given)
        self._types = types or {}
        self._type_names = KnownNames(self._types)
        self._bound: list[str] = []
        self._filters = 0
        self._depth = 0
        self._interval_depth = 0  # the depth of the expression that ends an interval
        self.free: set[str] = set()

    # Tokens

    @property
    def _token(self) -> Token:
        return self._tokens[self._position]

    def _is(self, *texts: str) -> bool:
        token = self._token
        return token.text in texts and token.kind in ("symbol", "name")

    def _accept(self, text: str) -> bool:
        if self._is(text):
            self._position += 1
            return True
        return False

    def _expect(self, *texts: str) -> str:
        if not self._is(*texts):
            raise self._unexpected(" or ".join(f"'{text}'" for text in texts))
        self._position += 1
        return self._tokens[self._position - 1].text

    def _unexpected(self, expected: str) -> FeelSyntaxError:
        token = self._token
        found = "the end of the text" if token.kind == "end" else f"{token.text[:40]!r}"
        return syntax_error(self._text, token.start, f"unexpected {found}", expected)

    def _separated(self, read: Callable[[], None], close: str) -> None:
        """Reads items between commas up to `close`, which it consumes."""
        while not self._accept(close):
            read()
            if not self._is(close):
                self._expect(",")
                if self._is(close):
                    raise self._unexpected("an expression")

    # Names

    def _member(self) -> str:
        if self._token.kind != "name":
            raise self._unexpected("the name of a member")
        return self._longest((self._members,))

    def _longest(self, scopes: tuple[KnownNames, ...]) -> str:
        """Consumes the longest known name here, else all adjoining words."""
        found = [match for scope in scopes if (match := scope.match(self._tokens, self._position))]
        found = [match for match in found if not self._is_operator_name(match)]
        name, length = max(found, key=lambda match: match[1], default=(self._token.text, 1))
        self._position += length
        while self._token.kind == "number" or (self._token.kind == "name" and self._token.text not in KEYWORDS):
            name += f"{' ' * self._token.spaced}{self._token.text}"
            self._position += 1
        return name

    def _is_operator_name(self, match: tuple[str, int]) -> bool:
        """Whether the built-in `date and time` is rather two operands of `and`."""
        name, length = match
        if name not in ("date and time", "years and months duration") or name in self._given:
            return False
        return self._tokens[self._position + length].text != "("

    def _spelled(self, end: int) -> str:
        """Consumes the tokens up to `end` as a name."""
        pieces = self._tokens[self._position : end]
        if not pieces or pieces[0].kind != "name":
            raise self._unexpected("a name")
        self._position = end
        rest = "".join(f"{' ' * piece.spaced}{piece.text}" for piece in pieces[1:])
        return pieces[0].text + rest

    def _end_of_name(self, *stops: str) -> int:
        position = self._position
        while self._tokens[position].text not in stops and self._tokens[position].kind in ("name", "number", "symbol"):
            position += 1
        return position

    def _colon(self) -> int | None:
        """The position of the colon if a parameter's name and a colon stand here."""
        position = self._position
        if self._tokens[position].kind != "name":
            return None
        while self._tokens[position].kind in ("name", "number") or self._tokens[position].text in _NAME_SYMBOLS:
            position += 1
        return position if self._tokens[position].text == ":" else None

    # Scopes

    def _bind(self, name: str) -> None:
        if len(self._bound) >= MAX_BOUND:
            raise self._unexpected(f"at most {MAX_BOUND} names in scope")
        self._bound.append(name)
        self._known.add(name)
        self._members.add(name)

    def _unbind(self, size: int) -> None:
        while len(self._bound) > size:
            self._known.discard(self._bound.pop())

    @contextmanager
    def _names(self, *names: str) -> Iterator[None]:
        size = len(self._bound)
        for name in names:
            self._bind(name)
        yield
        self._unbind(size)

    # Types

    def _type(self) -> Type:
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise self._unexpected(f"at most {MAX_NESTING} levels of nesting")
        found = self._named_type()
        self._depth -= 1
        return found

    def _named_type(self) -> Type:
        named = self._type_names.match(self._tokens, self._position)
        if named is not None:
            self._position += named[1]
            return NamedType(named[0], self._types[named[0]])
        basic = _TYPES.match(self._tokens, self._position)
        if basic is None:
            raise self._unexpected("a type")
        self._position += basic[1]
        match basic[0]:
            case "Any":
                return ANY
            case "list":
                return ListType(self._element())
            case "range":
                return RangeType(self._element())
            case "context":
                return self._context_type()
            case "function":
                return self._function_type()
        return BasicType(basic[0])

    def _element(self) -> Type:
        if not self._accept("<"):
            return ANY
        element = self._type()
        self._expect(">")
        return element

    def _context_type(self) -> Type:
        entries: list[tuple[str, Type]] = []

        def entry() -> None:
            name = self._spelled(self._end_of_name(":"))
            self._expect(":")
            entries.append((name, self._type()))
            self._members.add(name)

        if self._accept("<"):
            self._separated(entry, ">")
        return ContextType(tuple(entries))

    def _function_type(self) -> Type:
        parameters: list[Type] = []
        self._expect("<")
        self._separated(lambda: parameters.append(self._type()), ">")
        self._expect("->")
        return FunctionType(tuple(parameters), self._type())
