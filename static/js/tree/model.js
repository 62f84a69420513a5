// The spans of a trace as flat arrays in pre-order: who is whose child, what is folded, what is shown. No DOM here.

/**
 * @typedef {object} Span
 * @property {string} id
 * @property {string | null} [parent]
 * @property {number} depth
 * @property {string} name
 * @property {string} kind
 * @property {"ok" | "error" | "unset"} status
 * @property {number} start_ms since the trace's start
 * @property {number | null} duration_ms null while it runs
 * @property {number | string | null} [cost] USD
 * @property {number | null} [tokens]
 * @property {boolean} [tokens_estimated]
 * @property {boolean} [cost_estimated]
 * @property {string | null} [model]
 * @property {string | null} [note] short text after the name, instead of the model
 * @property {string | null} [preview]
 * @property {number} [findings]
 * @property {string | null} [warning] why a span whose status is OK still went wrong
 * @property {number | null} [first_token_ms] from the span's start
 * @property {boolean} [critical] on the critical path
 * @property {boolean} [running]
 * @property {boolean} [infrastructure] machinery around the agent, without content
 */

/** @param {Span} span */
export const isTrouble = (span) => span.status === "error" || (span.findings ?? 0) > 0 || Boolean(span.warning);

/** Whether name, model, note, kind, preview or id hold a text. @param {Span} span @param {string} wanted in lower case */
export const holds = (span, wanted) => `${span.name}\n${span.model ?? ""}\n${span.note ?? ""}\n${span.kind}\n${span.preview ?? ""}\n${span.id}`.toLowerCase().includes(wanted);

export class TreeModel {
  /** @param {Span[]} rows in pre-order */
  constructor(rows = []) {
    /** @type {Set<string>} */
    this.folded = new Set();
    this.onlyTrouble = false;
    /** @type {Span[]} */
    this.rows = rows;
    /** @type {Map<string, number>} index by span id */
    this.at = new Map();
    this.parent = new Int32Array();
    this.place = new Int32Array(); // position among siblings, from 1
    this.siblings = new Int32Array(); // number of children, by parent
    this.end = new Int32Array(); // index after the last descendant
    this.hasTrouble = new Uint8Array();
    this.total = 0;
    this.deepest = 0;
    this.troubles = 0;
    this.rootCount = 0;
    this.load(rows);
  }

  /** Replaces the rows; what is folded stays folded. @param {Span[]} rows */
  load(rows) {
    const count = rows.length;
    this.rows = rows;
    this.at = new Map();
    this.parent = new Int32Array(count).fill(-1);
    this.place = new Int32Array(count);
    this.siblings = new Int32Array(count);
    this.end = new Int32Array(count);
    this.hasTrouble = new Uint8Array(count);
    this.total = 0;
    this.deepest = 0;
    this.troubles = 0;
    this.rootCount = 0;
    this.link();
    this.total = Math.max(this.total, 0.001);
  }

  link() {
    /** @type {number[]} the open ancestors, by depth */
    const path = [];
    const { rows, parent, place, siblings, end, hasTrouble } = this;
    rows.forEach((span, i) => {
      // A depth that jumps cannot be drawn: a span stands at most one below the one before it.
      const depth = Math.max(0, Math.min(span.depth, path.length));
      while (path.length > depth) end[/** @type {number} */ (path.pop())] = i;
      const above = path.length ? path[path.length - 1] : -1;
      parent[i] = above;
      place[i] = above < 0 ? ++this.rootCount : ++siblings[above];
      path.push(i);
      this.at.set(span.id, i);
      this.deepest = Math.max(this.deepest, depth);
      this.total = Math.max(this.total, span.start_ms + (span.duration_ms ?? 0));
    });
    while (path.length) end[/** @type {number} */ (path.pop())] = rows.length;
    for (let i = rows.length - 1; i >= 0; i--) {
      if (isTrouble(rows[i])) {
        hasTrouble[i] = 1;
        this.troubles += 1;
      }
      if (hasTrouble[i] && parent[i] >= 0) hasTrouble[parent[i]] = 1;
    }
  }

  /** @param {number} i */
  hasChildren(i) {
    return this.end[i] > i + 1;
  }

  /** Whether i is the last child of its parent. @param {number} i */
  isLast(i) {
    const above = this.parent[i];
    return this.place[i] === (above < 0 ? this.rootCount : this.siblings[above]);
  }

  /** Number of i's siblings, itself included. @param {number} i */
  familySize(i) {
    const above = this.parent[i];
    return above < 0 ? this.rootCount : this.siblings[above];
  }

  /** Level of i from 0, by the parents that are really there. @param {number} i */
  level(i) {
    let level = 0;
    for (let above = this.parent[i]; above >= 0; above = this.parent[above]) level += 1;
    return level;
  }

  /** The rows to draw, in order. @returns {number[]} */
  visible() {
    const shown = [];
    for (let i = 0; i < this.rows.length; ) {
      if (this.onlyTrouble && !this.hasTrouble[i]) {
        i = this.end[i];
        continue;
      }
      shown.push(i);
      i = this.folded.has(this.rows[i].id) ? this.end[i] : i + 1;
    }
    return shown;
  }

  /** Unfolds everything above i. @param {number} i @returns {boolean} whether something changed */
  reveal(i) {
    let changed = false;
    for (let above = this.parent[i]; above >= 0; above = this.parent[above]) {
      changed = this.folded.delete(this.rows[above].id) || changed;
    }
    return changed;
  }

  /** Folds every span at or below a level that has children. @param {number} level */
  foldFrom(level) {
    this.folded.clear();
    this.rows.forEach((span, i) => {
      if (span.depth >= level && this.hasChildren(i)) this.folded.add(span.id);
    });
  }

  /** The next row after i, around the end, that passes. @param {number} i @param {(span: Span) => boolean} passes @param {1 | -1} step */
  next(i, passes, step = 1) {
    const count = this.rows.length;
    for (let tried = 1; tried <= count; tried++) {
      const at = (((i + step * tried) % count) + count) % count;
      if (passes(this.rows[at])) return at;
    }
    return -1;
  }

  /** Rows that hold a text. @param {string} text @returns {Set<number>} */
  find(text) {
    const wanted = text.trim().toLowerCase();
    const found = new Set();
    if (!wanted) return found;
    this.rows.forEach((span, i) => {
      if (holds(span, wanted)) found.add(i);
    });
    return found;
  }
}
