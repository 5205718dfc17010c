// What the panel offers from what exists: forms, deadlines, roles, decisions and processes of this revision, to be chosen
// instead of typed. Entry components stand at module level: made anew on each change they would lose the focus.

import { CheckboxEntry, SelectEntry, TextAreaEntry, isCheckboxEntryEdited, isSelectEntryEdited } from "@bpmn-io/properties-panel";
import { useService } from "bpmn-js-properties-panel";
import { getBusinessObject, is } from "bpmn-js/lib/util/ModelUtil";

import { settings } from "./editing.js";

const { offers, texts } = settings;

const DUE_EVENT = "dueEvent";
const CHOICES = [
  { id: "offered-form", of: "bpmn:UserTask", label: texts.form, type: "zeebe:FormDefinition", property: "formId", values: offers.forms },
  { id: "offered-decision", of: "bpmn:BusinessRuleTask", label: texts.decision, type: "zeebe:CalledDecision", property: "decisionId", values: offers.decisions },
  { id: "offered-process", of: "bpmn:CallActivity", label: texts.process, type: "zeebe:CalledElement", property: "processId", values: offers.processes },
];

export class Offers {
  static $inject = ["propertiesPanel"];

  constructor(propertiesPanel) {
    propertiesPanel.registerProvider(400, this);
  }

  getGroups(element) {
    const entries = CHOICES.filter((choice) => is(element, choice.of)).map((choice) => ({
      ...choice,
      component: Choice,
      isEdited: isSelectEntryEdited,
    }));
    const offered = [{ id: "offered", label: texts.offered, entries, shouldOpen: true }];
    if (is(element, "bpmn:UserTask")) {
      if (offers.deadlines.length) {
        entries.push({ id: "offered-deadline", component: Deadline, isEdited: isSelectEntryEdited });
      }
      offered.push({ id: "offered-roles", label: texts.roles, entries: roles(element), shouldOpen: true });
    }
    return (groups) => (entries.length ? [...groups.slice(0, 1), ...offered, ...groups.slice(1)] : groups);
  }
}

/** Boxes to tick; where an expression computes the roles, it stands there, and ticking would overwrite it. */
function roles(element) {
  if (groupsOf(element).startsWith("=")) return [{ id: "offered-computed", component: Computed }];
  return offers.groups.map(([group, label]) => ({
    id: `offered-group-${group}`,
    group,
    label,
    component: Role,
    isEdited: isCheckboxEntryEdited,
  }));
}

function Choice({ element, id, label, type, property, values }) {
  const write = useWriter();
  const getValue = () => extension(element, type)?.get(property) ?? "";
  const missing = getValue() && !values.some(([value]) => value === getValue()) ? [[getValue(), getValue()]] : [];
  return SelectEntry({
    element,
    id,
    label,
    getValue,
    setValue: (value) => write(element, type, { [property]: value || undefined }),
    getOptions: () => [["", texts.none], ...missing, ...values].map(([value, name]) => ({ value, label: name })),
  });
}

/** The event that the deadline decision of the process is asked about; a property of the task. */
function Deadline({ element, id }) {
  const write = useWriter();
  const properties = () => extension(element, "zeebe:Properties")?.get("properties") ?? [];
  const getValue = () => properties().find(({ name }) => name === DUE_EVENT)?.value ?? "";
  const missing = getValue() && !offers.deadlines.some(([value]) => value === getValue()) ? [[getValue(), getValue()]] : [];
  const factory = useService("bpmnFactory");
  return SelectEntry({
    element,
    id,
    label: texts.deadline,
    getValue,
    setValue: (value) => {
      const others = properties().filter(({ name }) => name !== DUE_EVENT);
      const made = value ? [factory.create("zeebe:Property", { name: DUE_EVENT, value })] : [];
      write(element, "zeebe:Properties", { properties: [...others, ...made] });
    },
    getOptions: () => [["", texts.none], ...missing, ...offers.deadlines].map(([value, name]) => ({ value, label: name })),
  });
}

function Computed({ element, id }) {
  return TextAreaEntry({
    element,
    id,
    label: texts.computed,
    description: texts.below,
    getValue: () => groupsOf(element),
    setValue: () => {},
    debounce: (change) => change,
    disabled: true,
  });
}

function Role({ element, id, label, group }) {
  const write = useWriter();
  const chosen = () => rolesOf(element);
  return CheckboxEntry({
    element,
    id,
    label,
    getValue: () => chosen().includes(group),
    setValue: (wanted) => {
      const next = wanted ? [...chosen(), group] : chosen().filter((each) => each !== group);
      write(element, "zeebe:AssignmentDefinition", { candidateGroups: next.join(", ") || undefined });
    },
  });
}

function rolesOf(element) {
  return groupsOf(element).split(",").map((each) => each.trim()).filter(Boolean);
}

function groupsOf(element) {
  return extension(element, "zeebe:AssignmentDefinition")?.get("candidateGroups") ?? "";
}

function extension(element, type) {
  return getBusinessObject(element).get("extensionElements")?.get("values").find((each) => is(each, type));
}

/** Writes properties of an extension of the element, which is made where there is none; one step to undo. */
function useWriter() {
  const modeling = useService("modeling");
  const factory = useService("bpmnFactory");
  return (element, type, properties) => {
    const found = extension(element, type);
    if (found) return modeling.updateModdleProperties(element, found, properties);
    const owner = getBusinessObject(element);
    const elements = owner.get("extensionElements") ?? factory.create("bpmn:ExtensionElements", { values: [] });
    elements.$parent = owner;
    const made = factory.create(type, properties);
    made.$parent = elements;
    const values = [...elements.get("values"), made];
    if (owner.get("extensionElements")) return modeling.updateModdleProperties(element, elements, { values });
    elements.values = values;
    return modeling.updateProperties(element, { extensionElements: elements });
  };
}
