// <span-tree src="…json" selected="id">: the spans of a trace as a tree beside a time line. Which rows there are, which are
// folded and which is selected; tree/view.js draws those in view, so that 30,000 scroll. Rows come from src, from a JSON script
// inside the element, or from update(rows).
import { element, icon, svg } from "../dom.js";
import { pointerReleased } from "../pointer.js";
import { TreeKeys } from "../tree/keys.js";
import { TreeModel, holds, isTrouble } from "../tree/model.js";
import { withoutNoise } from "../tree/noise.js";
import { TreeTools } from "../tree/tools.js";
import { TreeView } from "../tree/view.js";

/** @typedef {import("../tree/model.js").Span} Span */

class SpanTree extends HTMLElement {
  constructor() {
    super();
    this.model = new TreeModel();
    /** @type {Span[]} all of them; the model holds those that are not folded away as machinery */
    this.rows = [];
    this.showsNoise = false;
    this.noise = 0; // spans that are or would be folded away
    /** @type {number[]} indices into the model, of the rows that are not folded away */
    this.shown = [];
    this.selectedId = "";
    /** @type {Map<string, number>} findings by span id, which come apart from the rows */
    this.flags = new Map();
  }

  connectedCallback() {
    if (this.body) return this.listen();
    const inline = this.querySelector('script[type="application/json"]')?.textContent;
    this.build();
    this.listen();
    this.selectedId = new URLSearchParams(location.search).get("span") ?? this.getAttribute("selected") ?? "";
    if (inline) this.take(JSON.parse(inline), true);
    else if (this.getAttribute("src")) void this.reload(true);
  }

  disconnectedCallback() {
    this.view?.stop();
    this.keys?.stop();
    this.request?.abort();
  }

  build() {
    this.tools = new TreeTools(this);
    this.view = new TreeView(this);
    this.keys = new TreeKeys(this);
    this.body = this.view.body;
    this.note = element("div", { class: "tree-note", role: "status" });
    const hatch = svg("pattern", { id: "hatch", width: "5", height: "5", patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, svg("line", { class: "hatch-line", x1: "0", y1: "0", x2: "0", y2: "5" }));
    this.replaceChildren(svg("svg", { width: "0", height: "0", "aria-hidden": "true" }, svg("defs", {}, hatch)), this.view.head, this.body, this.note);
    this.classList.add("tree");
    this.body.addEventListener("click", this.clicked);
    this.body.addEventListener("keydown", this.keys.pressed);
  }

  listen() {
    this.view?.listen();
    this.keys?.listen();
  }

  /* ---- Rows ---- */

  /** Reads `src` again. Throws when it cannot be read and rows are already shown. @param {boolean} [first] */
  async reload(first = false) {
    const address = this.getAttribute("src");
    if (!address) return;
    this.request?.abort();
    const request = new AbortController();
    this.request = request;
    if (first) this.say("Loading spans…");
    try {
      const answer = await fetch(address, { headers: { Accept: "application/json" }, credentials: "same-origin", signal: request.signal });
      if (!answer.ok) throw new Error(answer.headers.get("X-Request-ID") ?? String(answer.status));
      const payload = await answer.json();
      await pointerReleased();
      this.take(payload, first);
    } catch (error) {
      if (request.signal.aborted) return;
      if (!first) throw error;
      this.fail(error);
    }
  }

  /** @param {Span[] | {rows: Span[]}} payload @param {boolean} first */
  take(payload, first) {
    this.update(Array.isArray(payload) ? payload : payload.rows);
    if (first && this.selectedId) this.bringIntoView(this.selectedId, true);
    this.dispatchEvent(new CustomEvent("tree-load", { bubbles: true, detail: { count: this.rows.length } }));
  }

  /** Shows these rows. Selection, folding and the row at the top of the view stay. @param {Span[]} rows in pre-order */
  update(rows) {
    const anchor = this.topRow();
    for (const [id, count] of this.flags) {
      const row = rows.find((one) => one.id === id);
      if (row) row.findings = count;
    }
    this.rows = rows;
    this.say(rows.length ? "" : "No spans yet.");
    this.sift();
    if (anchor) this.view?.keepAt(anchor);
  }

  /** Loads the model with the rows that are shown: machinery only when it is asked for, found or selected. */
  sift() {
    const wanted = this.tools?.input.value.trim().toLowerCase() ?? "";
    const sifted = withoutNoise(this.rows, (span) => span.id === this.selectedId || (wanted !== "" && holds(span, wanted)));
    this.noise = withoutNoise(this.rows, () => false).hidden;
    this.model.load(this.showsNoise ? this.rows : sifted.rows);
    this.refresh();
  }

  /** @param {boolean} shows */
  showNoise(shows) {
    const anchor = this.topRow();
    this.showsNoise = shows;
    this.sift();
    if (anchor) this.view?.keepAt(anchor);
  }

  /** Marks the spans that findings name. @param {Map<string, number>} flags number of findings by span id */
  flag(flags) {
    const same = flags.size === this.flags.size && [...flags].every(([id, count]) => this.flags.get(id) === count);
    if (same) return;
    for (const row of this.rows) row.findings = 0;
    this.flags = flags;
    this.update(this.rows);
  }

  /** Draws again after folding, filtering or new rows. */
  refresh() {
    this.shown = this.model.visible();
    this.tools?.refresh();
    this.view?.refresh();
  }

  /** @param {boolean} fresh whether rows already drawn may have changed */
  draw(fresh) {
    this.view?.draw(fresh);
  }

  /** The row at the top edge, when the tree begins above it. */
  topRow() {
    return this.view?.topRow() ?? null;
  }

  /** @param {string} id @param {boolean} [centre] */
  bringIntoView(id, centre = false) {
    const i = this.model.at.get(id);
    if (i === undefined) return;
    if (this.model.reveal(i)) this.refresh();
    const place = this.shown.indexOf(i);
    if (place >= 0) this.view?.bringIntoView(place, centre);
  }

  /* ---- Choosing ---- */

  /** Selects a span, brings it into view and tells the page. @param {string} id */
  select(id) {
    const isShown = this.model.at.has(id);
    if (!isShown && !this.rows.some((span) => span.id === id)) return;
    const changed = id !== this.selectedId;
    this.selectedId = id;
    if (!isShown) this.sift();
    this.bringIntoView(id);
    this.draw(true);
    if (!changed) return;
    const address = new URL(location.href);
    address.searchParams.set("span", id);
    history.replaceState(history.state, "", address);
    this.dispatchEvent(new CustomEvent("span-select", { bubbles: true, detail: { id } }));
  }

  /** @param {number} i @param {boolean} [open] */
  fold(i, open = this.model.folded.has(this.model.rows[i].id)) {
    const { id } = this.model.rows[i];
    if (open) this.model.folded.delete(id);
    else if (this.model.hasChildren(i)) this.model.folded.add(id);
    this.refresh();
  }

  nextTrouble() {
    const next = this.model.next(this.model.at.get(this.selectedId) ?? -1, isTrouble);
    if (next >= 0) this.select(this.model.rows[next].id);
  }

  /** @param {MouseEvent} event */
  clicked = (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const row = /** @type {HTMLElement | null} */ (target?.closest(".tree-row") ?? null);
    if (!row || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    const i = this.model.at.get(row.dataset.span ?? "");
    if (i === undefined) return;
    if (target?.closest(".twist") && this.model.hasChildren(i)) this.fold(i);
    else this.select(this.model.rows[i].id);
    this.body?.focus({ preventScroll: true });
  };

  /** @param {number} step in shown rows */
  move(step) {
    const at = this.shown.indexOf(this.model.at.get(this.selectedId) ?? -1);
    const next = this.shown[Math.max(0, Math.min(this.shown.length - 1, at < 0 ? 0 : at + step))];
    if (next !== undefined) this.select(this.model.rows[next].id);
  }

  /** @param {number} direction 1 into, -1 out of the selected span */
  enter(direction) {
    const i = this.model.at.get(this.selectedId);
    if (i === undefined) return this.move(0);
    const folded = this.model.folded.has(this.selectedId);
    if (direction > 0 && folded) this.fold(i, true);
    else if (direction > 0 && this.model.hasChildren(i)) this.move(1);
    else if (direction < 0 && this.model.hasChildren(i) && !folded) this.fold(i, false);
    else if (direction < 0 && this.model.parent[i] >= 0) this.select(this.model.rows[this.model.parent[i]].id);
  }

  /* ---- States ---- */

  /** @param {string} text */
  say(text) {
    if (this.note) this.note.textContent = text;
  }

  /** @param {unknown} error */
  fail(error) {
    const again = element("button", { type: "button", class: "button is-small" }, icon("refresh-cw"), "Try again");
    again.addEventListener("click", () => void this.reload(true));
    const why = error instanceof TypeError ? "The server did not answer." : `Request ${error instanceof Error ? error.message : "failed"}.`;
    this.note?.replaceChildren(element("div", { class: "banner", "data-verdict": "error", role: "alert" }, icon("circle-x"), element("p", {}, element("b", {}, "The spans of this trace could not be loaded."), ` ${why}`), again));
  }
}

customElements.define("span-tree", SpanTree);
