// One row of the span tree: guides, tile, name, marks, cost, and its bar on the time line. Made once, filled many times.
import { spelled, withMarks } from "../direction.js";
import { element, icon, iconAddress, svg } from "../dom.js";
import { cost, duration, tokens } from "../figures.js";
import { isTrouble } from "./model.js";

/** @typedef {import("./model.js").TreeModel} TreeModel */

const KIND_ICONS = { llm: "sparkles", agent: "bot", tool: "wrench", retriever: "database", embedding: "binary", guardrail: "shield", evaluator: "scale", chain: "link", infra: "server" };
const MOST_GUIDES = 40;
const LEAST_BAR = 0.25; // percent: a bar that can be seen
const FAILED = "Ended with an error";

/** @param {string} kind */
const kindIcon = (kind) => KIND_ICONS[/** @type {keyof typeof KIND_ICONS} */ (kind)] ?? "link";

export class TreeRow {
  constructor() {
    this.guides = element("span", { class: "guides", "aria-hidden": "true" });
    this.twist = element("span", { class: "twist", "aria-hidden": "true" }, icon("chevron-down"));
    this.tile = element("span", { class: "kind" }, icon("link"));
    this.name = element("bdi");
    this.note = element("small", { dir: "auto" });
    this.title = element("span", { class: "truncate" }, this.name, " ", this.note);
    this.mark = element("span", { class: "tree-mark" }, icon("flag"));
    this.failed = element("span", { class: "tree-failed", "data-verdict": "error", role: "img", "aria-label": FAILED, title: FAILED }, icon("circle-x"));
    this.cost = element("span", { class: "tree-cost" });
    this.bar = svg("rect", { class: "bar", y: "9", height: "10", rx: "2" });
    this.first = svg("rect", { class: "bar-first", y: "9", height: "10", rx: "2" });
    this.critical = svg("rect", { class: "bar-critical", y: "22", height: "1.5" });
    this.label = svg("text", { class: "bar-label", y: "18", dx: "6" });
    this.time = element("span", { class: "tree-time" }, svg("svg", { "aria-hidden": "true" }, this.bar, this.first, this.critical, this.label));
    const name = element("span", { class: "tree-name" }, this.guides, this.twist, this.tile, this.title, this.failed, this.mark, this.cost);
    this.drawn = -1; // index in the model of what it shows
    this.root = /** @type {HTMLAnchorElement} */ (element("a", { class: "tree-row", role: "treeitem", tabindex: "-1" }, name, this.time));
  }

  /**
   * @param {TreeModel} model
   * @param {number} i
   * @param {{selected: boolean, found: boolean, href: string}} state
   */
  fill(model, i, state) {
    const span = model.rows[i];
    const open = model.hasChildren(i) && !model.folded.has(span.id);
    const level = model.level(i);
    const root = this.root;
    root.id = `span-row-${i}`;
    root.dataset.span = span.id;
    root.dataset.kind = span.kind;
    root.href = state.href;
    root.className = `tree-row${span.running ? " is-running" : ""}${state.found ? " is-found" : ""}`;
    root.setAttribute("aria-level", String(level + 1));
    root.setAttribute("aria-posinset", String(model.place[i]));
    root.setAttribute("aria-setsize", String(model.familySize(i)));
    root.setAttribute("aria-selected", String(state.selected));
    if (model.hasChildren(i)) root.setAttribute("aria-expanded", String(open));
    else root.removeAttribute("aria-expanded");
    this.fillGuides(model, i, level);
    this.twist.className = `twist${model.hasChildren(i) ? "" : " is-leaf"}${level === 0 ? " is-root" : ""}${open ? "" : " is-closed"}`;
    this.fillName(model, i, span);
    this.fillTime(model, i, span);
  }

  /** @param {TreeModel} model @param {number} i @param {number} level */
  fillGuides(model, i, level) {
    const drawn = Math.min(level, MOST_GUIDES);
    while (this.guides.childElementCount > drawn) this.guides.lastElementChild?.remove();
    while (this.guides.childElementCount < drawn) this.guides.append(element("i", { class: "guide" }));
    let at = i;
    for (let column = drawn - 1; column >= 0; column--) {
      const last = model.isLast(at);
      const shape = column === drawn - 1 ? (last ? "is-elbow" : "is-tee") : last ? "" : "is-line";
      this.guides.children[column].className = `guide ${shape}`;
      at = model.parent[at];
    }
  }

  /** @param {TreeModel} model @param {number} i @param {import("./model.js").Span} span */
  fillName(model, i, span) {
    this.tile.dataset.kind = span.kind;
    this.tile.title = span.kind;
    this.tile.querySelector("use")?.setAttribute("href", iconAddress(kindIcon(span.kind)));
    this.name.replaceChildren(...withMarks(nameOf(span)));
    const hidden = model.folded.has(span.id) ? model.end[i] - i - 1 : 0;
    const named = span.model && !span.name.includes(span.model) ? span.model : "";
    const note = [span.note ?? named, hidden ? `${hidden.toLocaleString("en-US")} folded` : ""].filter(Boolean).join(" · ");
    this.note.replaceChildren(...withMarks(note));
    this.title.title = spelled([nameOf(span), span.preview].filter(Boolean).join("\n"));
    this.fillMark(model, i, span, hidden);
    this.cost.textContent = (span.cost_estimated && span.cost !== null ? "≈\u202f" : "") + cost(span.cost);
    const about = span.tokens_estimated ? " (estimated)" : "";
    this.cost.title = span.tokens ? `${tokens(span.tokens)} tokens${about}` : "";
  }

  /** @param {TreeModel} model @param {number} i @param {import("./model.js").Span} span @param {number} hidden */
  fillMark(model, i, span, hidden) {
    const [verdict, name, title] =
      (span.findings ?? 0) > 0 ? ["fail", "flag", span.findings === 1 ? "1 finding" : `${span.findings} findings`]
      : span.warning ? ["warn", "triangle-alert", span.warning]
      : hidden && model.hasTrouble[i] && span.status !== "error" ? ["warn", "circle-dot", "Trouble among the folded spans"]
      : ["", "", ""];
    this.failed.hidden = span.status !== "error";
    this.mark.hidden = !verdict;
    if (!verdict) return;
    this.mark.dataset.verdict = verdict;
    this.mark.title = title;
    this.mark.setAttribute("role", "img");
    this.mark.setAttribute("aria-label", title);
    this.mark.querySelector("use")?.setAttribute("href", iconAddress(name));
  }

  /** @param {TreeModel} model @param {number} i @param {import("./model.js").Span} span */
  fillTime(model, i, span) {
    const share = (/** @type {number} */ ms) => Math.max(0, Math.min(100, (ms / model.total) * 100));
    const start = Math.min(share(span.start_ms), 100 - LEAST_BAR);
    const lasted = span.duration_ms ?? (span.running ? model.total - span.start_ms : 0);
    const end = Math.min(100, Math.max(share(span.start_ms + lasted), start + LEAST_BAR));
    const across = { x: `${start.toFixed(3)}%`, width: `${(end - start).toFixed(3)}%` };
    const failed = span.status === "error";
    this.bar.setAttribute("class", `bar${failed && isTrouble(span) ? " is-error" : ""}${model.hasChildren(i) ? " is-hollow" : ""}`);
    set(this.bar, across);
    set(this.first, { x: across.x, width: `${span.first_token_ms ? share(Math.min(span.first_token_ms, lasted)).toFixed(3) : 0}%` });
    set(this.critical, { x: across.x, width: span.critical ? across.width : "0%" });
    const text = span.duration_ms !== null ? duration(span.duration_ms) : span.running ? "running" : "no end";
    set(this.label, { x: `${end.toFixed(3)}%` }); // the column keeps room behind the longest bar
    this.label.textContent = text;
    this.root.setAttribute("aria-label", [span.kind, spelled(nameOf(span)), text, failed ? "error" : "", this.mark.hidden ? "" : this.mark.title].filter(Boolean).join(", "));
  }
}

/** @param {import("./model.js").Span} span */
function nameOf(span) {
  return span.name || "(unnamed)";
}

/** @param {Element} target @param {Record<string, string>} attributes */
function set(target, attributes) {
  for (const [name, value] of Object.entries(attributes)) target.setAttribute(name, value);
}
