// <span-tree src="…json" selected="id">: the spans of a trace as a tree beside a time line. Only the rows in view exist, so
// that 30,000 spans scroll. Rows come from src, from a JSON script inside the element, or from update(rows).
import { element, icon, svg, takesText } from "../dom.js";
import { axisStep, duration } from "../figures.js";
import { TreeModel, isTrouble } from "../tree/model.js";
import { TreeRow } from "../tree/row.js";
import { TreeTools } from "../tree/tools.js";

/** @typedef {import("../tree/model.js").Span} Span */

const OVERSCAN = 8;

class SpanTree extends HTMLElement {
  constructor() {
    super();
    this.model = new TreeModel();
    /** @type {number[]} indices into the model, of the rows that are not folded away */
    this.shown = [];
    /** @type {TreeRow[]} */
    this.pool = [];
    this.selectedId = "";
    /** @type {Map<string, number>} findings by span id, which come apart from the rows */
    this.flags = new Map();
    this.rowHeight = 28;
    this.frame = 0;
    /** @type {number} place of the first drawn row, -1 before anything is drawn */
    this.first = -1;
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
    document.removeEventListener("scroll", this.drawSoon, true);
    removeEventListener("resize", this.measure);
    document.removeEventListener("keydown", this.pressedAnywhere);
    this.sizes?.disconnect();
    this.request?.abort();
  }

  build() {
    this.tools = new TreeTools(this);
    this.axis = element("div", { class: "tree-axis" });
    this.head = element("div", { class: "tree-top" }, this.tools.root, element("div", { class: "tree-head", "aria-hidden": "true" }, element("span", {}, "Span"), this.axis));
    this.window = element("div", { class: "tree-window", role: "presentation" });
    this.body = element("div", { class: "tree-body", role: "tree", tabindex: "0", "aria-label": "Spans" }, this.window);
    this.note = element("div", { class: "tree-note", role: "status" });
    const hatch = svg("pattern", { id: "hatch", width: "5", height: "5", patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, svg("line", { class: "hatch-line", x1: "0", y1: "0", x2: "0", y2: "5" }));
    this.replaceChildren(svg("svg", { width: "0", height: "0", "aria-hidden": "true" }, svg("defs", {}, hatch)), this.head, this.body, this.note);
    this.classList.add("tree");
    this.body.addEventListener("click", this.clicked);
    this.body.addEventListener("keydown", this.pressed);
  }

  listen() {
    document.addEventListener("scroll", this.drawSoon, { capture: true, passive: true });
    addEventListener("resize", this.measure);
    document.addEventListener("keydown", this.pressedAnywhere);
    this.sizes = new ResizeObserver(this.measure);
    this.sizes.observe(this.closest(".pane") ?? this);
    this.measure();
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
      this.take(await answer.json(), first);
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
    this.dispatchEvent(new CustomEvent("tree-load", { bubbles: true, detail: { count: this.model.rows.length } }));
  }

  /** Shows these rows. Selection, folding and the row at the top of the view stay. @param {Span[]} rows in pre-order */
  update(rows) {
    const anchor = this.topRow();
    for (const [id, count] of this.flags) {
      const row = rows.find((one) => one.id === id);
      if (row) row.findings = count;
    }
    this.model.load(rows);
    this.say(rows.length ? "" : "No spans yet.");
    this.refresh();
    if (anchor) this.keepAt(anchor);
  }

  /** Marks the spans that findings name. @param {Map<string, number>} flags number of findings by span id */
  flag(flags) {
    const same = flags.size === this.flags.size && [...flags].every(([id, count]) => this.flags.get(id) === count);
    if (same) return;
    for (const row of this.model.rows) row.findings = 0;
    this.flags = flags;
    this.update(this.model.rows);
  }

  /** Draws again after folding, filtering or new rows. */
  refresh() {
    this.shown = this.model.visible();
    const body = /** @type {HTMLElement} */ (this.body);
    body.style.height = `${this.shown.length * this.rowHeight}px`;
    this.drawAxis();
    this.tools?.refresh();
    this.draw(true);
  }

  /* ---- Drawing ---- */

  measure = () => {
    const height = parseFloat(getComputedStyle(this).getPropertyValue("--row-tree")) || 28;
    const column = (this.body?.clientWidth ?? 800) * 0.2;
    this.style.setProperty("--guide", `${Math.max(4, Math.min(16, column / Math.max(1, this.model.deepest))).toFixed(1)}px`);
    if (height !== this.rowHeight) {
      this.rowHeight = height;
      this.refresh();
    } else this.drawSoon();
  };

  drawSoon = () => {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw(false);
    });
  };

  /** The part of the window in which rows can be seen. */
  view() {
    const pane = this.scroller();
    const box = pane === document.scrollingElement ? { top: 0, bottom: innerHeight } : pane.getBoundingClientRect();
    return { top: Math.max(0, box.top), bottom: Math.min(innerHeight, box.bottom) };
  }

  scroller() {
    const pane = this.closest(".pane");
    const scrolls = pane && getComputedStyle(pane).overflowY === "auto";
    return scrolls ? pane : /** @type {Element} */ (document.scrollingElement);
  }

  /** @param {boolean} fresh whether rows already drawn may have changed */
  draw(fresh) {
    if (!this.body || !this.window) return;
    const { top, bottom } = this.view();
    const bodyTop = this.body.getBoundingClientRect().top;
    const wanted = Math.ceil(Math.max(0, bottom - top) / this.rowHeight) + 2 * OVERSCAN;
    const first = Math.max(0, Math.min(this.shown.length - wanted, Math.floor((top - bodyTop) / this.rowHeight) - OVERSCAN));
    const count = Math.min(wanted, this.shown.length - first);
    if (!fresh && first === this.first && count === this.pool.length) return;
    const moved = fresh || this.first < 0 ? Infinity : first - this.first;
    this.rotate(moved, count);
    this.first = first;
    this.window.style.transform = `translateY(${first * this.rowHeight}px)`;
    this.pool.forEach((row, k) => {
      const i = this.shown[first + k];
      if (row.drawn === i && !fresh) return;
      row.drawn = i;
      this.fill(row, i);
    });
    this.markActive();
  }

  /** Reuses the rows that stay in view, in the order of the document. @param {number} moved @param {number} count */
  rotate(moved, count) {
    const box = /** @type {HTMLElement} */ (this.window);
    if (Math.abs(moved) < this.pool.length) {
      for (let step = 0; step < Math.abs(moved); step++) {
        const row = /** @type {TreeRow} */ (moved > 0 ? this.pool.shift() : this.pool.pop());
        if (moved > 0) this.pool.push(row), box.append(row.root);
        else this.pool.unshift(row), box.prepend(row.root);
      }
    }
    while (this.pool.length > count) this.pool.pop()?.root.remove();
    while (this.pool.length < count) {
      const row = new TreeRow();
      this.pool.push(row);
      box.append(row.root);
    }
  }

  /** @param {TreeRow} row @param {number} i */
  fill(row, i) {
    const { id } = this.model.rows[i];
    const address = new URL(location.href);
    address.searchParams.set("span", id);
    row.fill(this.model, i, { selected: id === this.selectedId, found: this.tools?.found.has(i) ?? false, href: address.href });
  }

  drawAxis() {
    if (!this.axis) return;
    const { total } = this.model;
    const step = axisStep(total);
    const ticks = [];
    for (let at = 0; at < total * 0.96; at += step) {
      ticks.push(svg("text", { x: `${((at / total) * 100).toFixed(2)}%`, dx: "4", y: "18" }, document.createTextNode(at === 0 ? "0" : duration(at).replace(/\.0+(?=\D)/, ""))));
      ticks.push(svg("line", { class: "tree-tick", x1: `${((at / total) * 100).toFixed(2)}%`, x2: `${((at / total) * 100).toFixed(2)}%`, y1: "8", y2: "28" }));
    }
    this.axis.replaceChildren(svg("svg", {}, ...ticks));
    this.style.setProperty("--tick", `${((step / total) * 100).toFixed(3)}%`);
  }

  /* ---- Position ---- */

  topRow() {
    if (!this.body || !this.shown.length) return null;
    const offset = this.view().top - this.body.getBoundingClientRect().top;
    if (offset <= 0) return null;
    const i = this.shown[Math.min(this.shown.length - 1, Math.floor(offset / this.rowHeight))];
    return { id: this.model.rows[i].id, within: offset % this.rowHeight };
  }

  /** @param {{id: string, within: number}} anchor */
  keepAt(anchor) {
    const place = this.shown.indexOf(this.model.at.get(anchor.id) ?? -1);
    if (place < 0 || !this.body) return;
    const offset = this.view().top - this.body.getBoundingClientRect().top;
    this.scroller().scrollTop += place * this.rowHeight + anchor.within - offset;
  }

  /** @param {string} id @param {boolean} [centre] */
  bringIntoView(id, centre = false) {
    const i = this.model.at.get(id);
    if (i === undefined || !this.body) return;
    if (this.model.reveal(i)) this.refresh();
    const place = this.shown.indexOf(i);
    if (place < 0) return;
    const view = this.view();
    const covered = this.head?.getBoundingClientRect().height ?? 0;
    const top = this.body.getBoundingClientRect().top + place * this.rowHeight;
    const low = view.top + covered;
    const high = view.bottom - this.rowHeight;
    if (top >= low && top <= high) return;
    this.scroller().scrollTop += centre ? top - (low + high) / 2 : top < low ? top - low : top - high;
    this.draw(false);
  }

  markActive() {
    const i = this.model.at.get(this.selectedId);
    const drawn = i !== undefined && this.pool.some((row) => row.drawn === i);
    if (drawn) this.body?.setAttribute("aria-activedescendant", `span-row-${i}`);
    else this.body?.removeAttribute("aria-activedescendant");
  }

  /* ---- Choosing ---- */

  /** Selects a span, brings it into view and tells the page. @param {string} id */
  select(id) {
    if (!this.model.at.has(id)) return;
    const changed = id !== this.selectedId;
    this.selectedId = id;
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

  /** @param {KeyboardEvent} event */
  pressed = (event) => {
    const page = Math.max(1, Math.floor((this.view().bottom - this.view().top) / this.rowHeight) - 3);
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowDown: () => this.move(1),
      ArrowUp: () => this.move(-1),
      ArrowRight: () => this.enter(1),
      ArrowLeft: () => this.enter(-1),
      PageDown: () => this.move(page),
      PageUp: () => this.move(-page),
      Home: () => this.move(-Infinity),
      End: () => this.move(Infinity),
      Enter: () => /** @type {HTMLElement | null} */ (document.querySelector("span-panel"))?.focus(),
    };
    if (event.metaKey || event.ctrlKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  };

  /** Keys that work wherever the focus is on the page. @param {KeyboardEvent} event */
  pressedAnywhere = (event) => {
    if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey || takesText(event.target)) return;
    if (document.querySelector("dialog:modal")) return;
    /** @type {Record<string, () => void>} */
    const keys = { j: () => this.move(1), k: () => this.move(-1), e: () => this.nextTrouble(), "/": () => this.tools?.input.focus() };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  };

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
