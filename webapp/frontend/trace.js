// Where a process stands and the way it came, as marks on the elements of its diagram.

const MARKS = [
  ["completed", "way"],
  ["flows", "way"],
  ["open", "here"],
  ["failed", "failed"],
];

/**
 * Element id → its one mark: failed before here before way. `trace` is {completed, flows, open, failed}, each a list
 * of element ids or absent.
 */
export function marks(trace) {
  return new Map(MARKS.flatMap(([list, mark]) => (trace[list] ?? []).map((id) => [id, mark])));
}
