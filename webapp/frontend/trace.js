// Where a process stands and the way it came, what a revision changes, or what its scenarios never reached, as marks on the elements of its diagram.

const MARKS = [
  ["completed", "way"],
  ["flows", "way"],
  ["open", "here"],
  ["failed", "failed"],
  ["unreached", "unreached"],
  ["moved", "moved"],
  ["changed", "changed"],
  ["added", "added"],
];

/**
 * Element id → its one mark: failed before here before way, added before changed before moved. `trace` is {completed,
 * flows, open, failed} {unreached} or {moved, changed, added}, each a list of element ids or absent.
 */
export function marks(trace) {
  return new Map(MARKS.flatMap(([list, mark]) => (trace[list] ?? []).map((id) => [id, mark])));
}
