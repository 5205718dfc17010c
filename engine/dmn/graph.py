"""The decision requirements graph (DMN 1.5, 6): what requires what, and its evaluation."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from engine import feel
from engine.dmn.boxed import Boxed, FunctionDefinition, Variable, bind
from engine.dmn.errors import DecisionFault
from engine.dmn.model import Evaluation, Outcome
from engine.dmn.run import Run
from engine.dmn.types import Type, coerce
from engine.feel import Environment, FeelLimitExceeded, Value

Key = tuple[str, str]  # namespace, element id


@dataclass(frozen=True, slots=True)
class Requirement:
    """An arrow from what is required; `alias` is the import under whose name it is seen, empty for none."""

    key: Key
    alias: str


@dataclass(frozen=True, slots=True)
class Element:
    """A node of the graph; `vocabulary` holds the names by which a path can reach into its value."""

    key: Key
    name: str
    variable: Variable
    requirements: tuple[Requirement, ...]
    vocabulary: frozenset[str]

    @property
    def id(self) -> str:
        return self.key[1]

    @property
    def output_name(self) -> str:
        """The name under which others see the value."""
        return self.variable.name


@dataclass(frozen=True, slots=True)
class InputData(Element):
    """A value from outside."""


@dataclass(frozen=True, slots=True)
class Decision(Element):
    """A value that is decided; `required_inputs` names all input data it rests on, also indirectly."""

    logic: Boxed | None
    required_inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BusinessKnowledge(Element):
    """A function that decisions can invoke."""

    function: FunctionDefinition | None


@dataclass(frozen=True, slots=True)
class DecisionService(Element):
    """Decisions offered as a function; its parameters are the input data, then the input decisions."""

    inputs: tuple[Key, ...]
    outputs: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Definitions:
    """A compiled file. Mappings are by element id; `elements` include those of imported files."""

    id: str
    name: str
    namespace: str
    decisions: Mapping[str, Decision]
    business_knowledge: Mapping[str, BusinessKnowledge]
    decision_services: Mapping[str, DecisionService]
    elements: Mapping[Key, Element]
    declared: frozenset[str]  # the names of all input data
    types: Mapping[str, Type]

    def evaluate(self, name: str, inputs: Mapping[str, Value], environment: Environment) -> Outcome:
        """Evaluate the decision or decision service of this id or name.

        `inputs` are by name of input data (for a service also of input decisions); what is not given is null.
        A given name that is no input data of the model is visible to every decision, as Camunda has it.
        Raises DecisionFault if there is none of this name, FeelLimitExceeded if the work budget is spent.
        """
        run = Run(environment)
        try:
            value = self._walk(name, inputs, run)
        except RecursionError as error:
            raise FeelLimitExceeded(f"「{self.name}」の決定「{name}」の呼び出しが深すぎます。") from error
        return Outcome(value, tuple(run.evaluations), tuple(run.faults))

    def _walk(self, name: str, inputs: Mapping[str, Value], run: Run) -> Value:
        element = self._find(name)
        if isinstance(element, DecisionService):
            return _Walk(self.elements, inputs, {}, run).direct(element)
        ambient = {name: value for name, value in inputs.items() if name not in self.declared}
        return _Walk(self.elements, inputs, ambient, run).value_of(element.key)

    def _find(self, name: str) -> Decision | DecisionService:
        for offered in (self.decisions, self.decision_services):
            if name in offered:
                return offered[name]
            for element in offered.values():
                if element.name == name:
                    return element
        raise DecisionFault(f"「{self.name}」に決定「{name}」はありません。")


@dataclass(slots=True)
class _Walk:
    """One pass over the graph, in which every element has one value."""

    elements: Mapping[Key, Element]
    inputs: Mapping[str, Value]
    ambient: Mapping[str, Value]
    run: Run
    known: dict[Key, Value] = field(default_factory=dict)

    def value_of(self, key: Key) -> Value:
        if key not in self.known:
            self.known[key] = self._evaluate(self.elements[key])
        return self.known[key]

    def _evaluate(self, element: Element) -> Value:
        match element:
            case Decision():
                return self._decide(element)
            case BusinessKnowledge():
                return self._knowledge(element)
            case DecisionService():
                return self._service(element)
            case _:
                return self._given(element)

    def _knowledge(self, element: BusinessKnowledge) -> Value:
        if element.function is None:
            return None
        return element.function.evaluate(self._required(element), self.run)

    def _given(self, element: Element) -> Value:
        """Return what the caller gave for the element, converted to its type."""
        variable = element.variable
        return coerce(self.inputs.get(variable.name), variable.type, self.run.environment, variable.name)

    def _decide(self, decision: Decision) -> Value:
        required = self._required(decision)
        value: Value = None
        with self.run.tracing() as trace:
            if decision.logic is not None:
                try:
                    value = decision.logic.evaluate({**self.ambient, **required}, self.run)
                except FeelLimitExceeded as fault:
                    where = f"決定「{decision.name}」の式 {fault.expression}"
                    raise FeelLimitExceeded(f"{where} を計算できません: {fault}") from fault
        value = coerce(value, decision.variable.type, self.run.environment, decision.name)
        seen = trace.inputs or {name: each for name, each in required.items() if _is_data(each)}
        self.run.evaluations.append(
            Evaluation(decision.id, decision.name, seen, value, tuple(trace.rules)),
        )
        return value

    def _required(self, element: Element) -> dict[str, Value]:
        """Return the values the element requires; imported ones in a context under the name of the import."""
        scope: dict[str, Value] = {}
        for requirement in element.requirements:
            value = self.value_of(requirement.key)
            place = scope
            if requirement.alias:
                place = _inner(scope, requirement.alias)
            place[self.elements[requirement.key].variable.name] = value
        return scope

    def _service(self, service: DecisionService) -> Value:
        parameters = tuple(self.elements[key].variable for key in service.inputs)

        def call(arguments: tuple[Value, ...], environment: Environment) -> Value:
            bound = bind(parameters, arguments, environment)
            return self._inside(service, dict(zip(service.inputs, bound, strict=True)))

        return feel.Function(tuple(parameter.name for parameter in parameters), call, service.name)

    def direct(self, service: DecisionService) -> Value:
        """Return the value of a service that is evaluated itself, not invoked by a decision."""
        return self._inside(service, {key: self._given(self.elements[key]) for key in service.inputs})

    def _inside(self, service: DecisionService, given: dict[Key, Value]) -> Value:
        """Return the output, one value or a context of several; inside, only what is given is known."""
        walk = _Walk(self.elements, {}, {}, self.run, given)
        results = {self.elements[key].variable.name: walk.value_of(key) for key in service.outputs}
        value: Value = results if len(results) != 1 else next(iter(results.values()))
        return coerce(value, service.variable.type, self.run.environment, service.name)


def _inner(scope: dict[str, Value], alias: str) -> dict[str, Value]:
    """Return the context under the alias, made where it is not yet."""
    inner = scope.setdefault(alias, {})
    if not isinstance(inner, dict):
        raise DecisionFault(f"取り込み名「{alias}」が、必要な要素の名前と重なっています。")
    return inner


def _is_data(value: Value) -> bool:
    return not isinstance(value, feel.Function)


def reachable(elements: Mapping[Key, Element], key: Key) -> Iterator[Element]:
    """Yield everything the element rests on, directly or not, each once, the nearest first."""
    waiting, seen = [key], {key}
    while waiting:
        for requirement in elements[waiting.pop(0)].requirements:
            if requirement.key not in seen and requirement.key in elements:
                seen.add(requirement.key)
                waiting.append(requirement.key)
                yield elements[requirement.key]
