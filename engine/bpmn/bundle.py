"""A bundle: the processes and decisions of one deployment, compiled once and shared by all its instances."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from engine import dmn
from engine.bpmn.activities import Subprocess, UserTask
from engine.bpmn.conflicts import parallel_writes
from engine.bpmn.digest import execution_digest
from engine.bpmn.elements import Element
from engine.bpmn.errors import BundleInvalid, Finding
from engine.bpmn.events import Message, ThrowEvent
from engine.bpmn.lint import check_process, check_references
from engine.bpmn.reader import read_processes
from engine.bpmn.scopes import ProcessSpec, Token


@dataclass(frozen=True, slots=True)
class Process:
    """What the outside may know of one process."""

    key: str
    name: str
    file: str
    start_messages: tuple[str, ...]
    startable: bool
    user_tasks: Mapping[str, UserTask]
    """By element id, subprocesses included."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """Compiled definitions; never changed after `compile_bundle`."""

    processes: Mapping[str, Process]
    decisions: Mapping[str, dmn.Definitions]
    """The file that holds a decision, by the decision's id."""
    messages: frozenset[str]
    """Names of the messages that some process waits for or starts with."""
    execution_digest: str
    """SHA-256 of what decides execution: equal when only the diagram was moved."""
    warnings: tuple[Finding, ...]
    """What executes, but perhaps not as it was meant."""
    _specs: Mapping[str, ProcessSpec] = field(repr=False)

    def spec(self, key: str) -> ProcessSpec:
        return self._specs[key]

    def name_of(self, element: str, process: str) -> str:
        """What the element is called that `process`, or one that it may call, has; its id where it has no name."""
        others = (spec for key, spec in self._specs.items() if key != process)
        for spec in (self._specs[process], *others):
            for found in _elements(spec):
                if found.bpmn_id == element:
                    return found.bpmn_name or element
        return element

    def inner_spec(self, owner: Token, name: str) -> ProcessSpec:
        """The spec of the scope that `owner` opened: its own body, or the process it called."""
        activity = owner.task_spec
        return activity.body if isinstance(activity, Subprocess) else self._specs[name]


def compile_bundle(
    processes: Mapping[str, bytes],
    decisions: Mapping[str, bytes],
    forms: Collection[str],
    job_types: Collection[str],
    *,
    accepted: bool = False,
) -> Bundle:
    """Read, check and compile every file (by file name); raises BundleInvalid with all findings.

    `forms` are the form ids that the deployment holds, `job_types` what the worker can do. `accepted`: an earlier
    release found nothing in these files, and what this one would find does not stop the instances that run on them.
    """
    findings: list[Finding] = []
    definitions = _read_decisions(decisions, findings)
    specs: dict[str, ProcessSpec] = {}
    names: dict[str, str] = {}
    for file, source in processes.items():
        for spec, name in read_processes(file, source, findings):
            if spec.name in specs:
                findings.append(Finding(file, spec.name, name, f"プロセス ID「{spec.name}」が二つあります。"))
            specs[spec.name], names[spec.name] = spec, name
    for spec in specs.values():
        check_process(spec, findings)
        check_references(spec, findings, definitions, forms, job_types, specs)
    if findings and not accepted:
        raise BundleInvalid(tuple(findings))
    return Bundle(
        processes={key: _describe(spec, names[key]) for key, spec in specs.items()},
        decisions=definitions,
        messages=frozenset(name for spec in specs.values() for name in _awaited(spec)),
        execution_digest=execution_digest(processes, decisions),
        warnings=tuple(warning for spec in specs.values() for warning in parallel_writes(spec, specs)),
        _specs=specs,
    )


def _read_decisions(files: Mapping[str, bytes], findings: list[Finding]) -> dict[str, dmn.Definitions]:
    found: dict[str, dmn.Definitions] = {}
    for file, source in files.items():
        try:
            definitions = dmn.read(source)
        except dmn.XmlRefused as refusal:
            findings.append(Finding(file, "", "", str(refusal)))
            continue
        except dmn.DmnInvalid as invalid:
            findings.extend(Finding(file, f.element_id, f.element_name, f.message) for f in invalid.findings)
            continue
        for decision in definitions.decisions:
            if decision in found:
                findings.append(Finding(file, decision, "", f"決定 ID「{decision}」が二つあります。"))
            found[decision] = definitions
    return found


def _describe(spec: ProcessSpec, name: str) -> Process:
    return Process(
        key=spec.name,
        name=name,
        file=spec.file,
        start_messages=tuple(spec.message_starts),
        startable=spec.none_start is not None,
        user_tasks={task.bpmn_id: task for task in _elements(spec) if isinstance(task, UserTask)},
    )


def _elements(spec: ProcessSpec) -> Iterator[Element]:
    """Every element, those of its subprocesses too."""
    for element in spec.elements.values():
        yield element
        if isinstance(element, Subprocess):
            yield from _elements(element.body)


def _awaited(spec: ProcessSpec) -> set[str]:
    names = set(spec.message_starts)
    for element in spec.elements.values():
        trigger = getattr(element, "trigger", None)
        if isinstance(trigger, Message) and not isinstance(element, ThrowEvent):
            names.add(trigger.name)
        if isinstance(element, Subprocess):
            names |= _awaited(element.body)
    return names
