// What stands between the steps of an agent: HTTP, databases, queues. Folded away until somebody asks for it; a span that
// failed or that a finding names never is, nor is the top of a trace.
import { isTrouble } from "./model.js";

/** @typedef {import("./model.js").Span} Span */

/**
 * The rows without the machinery; what hangs below it moves up to the next row that is shown.
 * @param {Span[]} rows in pre-order
 * @param {(span: Span) => boolean} keeps whether a span is shown nevertheless
 * @returns {{rows: Span[], hidden: number}}
 */
export function withoutNoise(rows, keeps) {
  if (rows.every((span) => span.infrastructure)) return { rows, hidden: 0 }; // a service without an agent: it is all there is
  /** @type {number[]} by depth, how many on the way down to it are hidden */
  const above = [];
  const shown = [];
  let hidden = 0;
  for (const span of rows) {
    const depth = Math.max(0, Math.min(span.depth, above.length));
    const lifted = depth ? above[depth - 1] : 0;
    const hides = Boolean(span.infrastructure) && depth > 0 && !isTrouble(span) && !keeps(span);
    above.length = depth;
    above.push(lifted + Number(hides));
    if (hides) hidden += 1;
    else shown.push(lifted ? { ...span, depth: depth - lifted } : span);
  }
  return { rows: shown, hidden };
}
