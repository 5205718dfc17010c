"""The memoised sweep over all combinations of representatives: which rules can match together, or none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from engine.feel import Value

MAX_WORK: Final = 4_000_000  # steps of one sweep: about a second


class TooMuchWork(Exception):
    """The table needs more work than one analysis may take."""


@dataclass(frozen=True, slots=True)
class Point:
    """Values of some inputs, and the rules whose tests of these inputs they pass, as the bits of a number."""

    rules: int
    inputs: Mapping[str, Value]


Axis = Sequence[Point]  # points whose inputs are independent of those of other axes


@dataclass(slots=True)
class Sweep:
    """A search over one point from each axis, within a budget of work."""

    axes: Sequence[Axis]
    left: int = MAX_WORK

    def find(self, required: int, forbidden: int) -> tuple[Point, ...] | None:
        """Return a point from each axis where all required rules match and no forbidden one, if there are any.

        It goes axis by axis and remembers, for each set of forbidden rules that still match, one way there.
        Raises TooMuchWork.
        """
        ways: list[dict[int, tuple[int, Point]]] = []
        alive = {forbidden}
        for axis in self.axes:
            options = self._options(axis, required, forbidden)
            self._spend(len(alive) * len(options))
            reached = {before & point.rules: (before, point) for before in alive for point in options}
            ways.append(reached)
            alive = {0} if 0 in reached else set(reached)
        return _trace(ways) if 0 in alive else None

    def _options(self, axis: Axis, required: int, forbidden: int) -> list[Point]:
        """Return the points that pass the required rules and no more forbidden ones than they must."""
        self._spend(len(axis))
        by_rules = {point.rules & forbidden: point for point in reversed(axis) if point.rules & required == required}
        least: list[int] = []
        for rules in sorted(by_rules, key=int.bit_count):
            self._spend(len(least))
            if not any(rules & other == other for other in least):
                least.append(rules)
        return [by_rules[rules] for rules in least]

    def _spend(self, work: int) -> None:
        self.left -= work
        if self.left < 0:
            raise TooMuchWork

    def around(self, points: Sequence[Point]) -> tuple[tuple[Point, ...], ...]:
        """Return a box of points, some from each axis, that holds these and in which no rule matches."""
        box = [[point] for point in points]
        for place, axis in enumerate(self.axes):
            others = -1
            for other, chosen in enumerate(box):
                if other != place:
                    others &= _union(chosen)
            box[place] = [point for point in axis if point.rules & others == 0 or point is points[place]]
            self._spend(len(axis) + len(box))
        return tuple(map(tuple, box))


def _union(points: Sequence[Point]) -> int:
    rules = 0
    for point in points:
        rules |= point.rules
    return rules


def _trace(ways: list[dict[int, tuple[int, Point]]]) -> tuple[Point, ...]:
    points: list[Point] = []
    alive = 0
    for reached in reversed(ways):
        alive, point = reached[alive]
        points.append(point)
    return tuple(reversed(points))
