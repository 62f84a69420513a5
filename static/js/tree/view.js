// The part of a span tree that can be seen: only its rows exist, and are reused while the page scrolls. It draws and scrolls;
// what is selected, folded or found is the tree's to know.
import { element, svg } from "../dom.js";
import { axisStep, tick } from "../figures.js";
import { TreeRow } from "./row.js";

const OVERSCAN = 8;

export class TreeView {
  /** @param {any} tree the span-tree that is shown */
  constructor(tree) {
    this.tree = tree;
    /** @type {TreeRow[]} */
    this.pool = [];
    this.rowHeight = 28;
    this.frame = 0;
    /** @type {number} place of the first drawn row, -1 before anything is drawn */
    this.first = -1;
    this.axis = element("div", { class: "tree-axis" });
    this.head = element("div", { class: "tree-top" }, tree.tools.root, element("div", { class: "tree-head", "aria-hidden": "true" }, element("span", {}, "Span"), this.axis));
    this.window = element("div", { class: "tree-window", role: "presentation" });
    this.body = element("div", { class: "tree-body", role: "tree", tabindex: "0", "aria-label": "Spans" }, this.window);
  }

  listen() {
    document.addEventListener("scroll", this.drawSoon, { capture: true, passive: true });
    addEventListener("resize", this.measure);
    this.sizes = new ResizeObserver(this.measure);
    this.sizes.observe(this.tree.closest(".pane") ?? this.tree);
    this.measure();
  }

  stop() {
    document.removeEventListener("scroll", this.drawSoon, true);
    removeEventListener("resize", this.measure);
    this.sizes?.disconnect();
  }

  /* ---- Sizes ---- */

  measure = () => {
    const { tree } = this;
    const height = parseFloat(getComputedStyle(tree).getPropertyValue("--row-tree")) || 28;
    const column = this.body.clientWidth * 0.2;
    tree.style.setProperty("--guide", `${Math.max(4, Math.min(16, column / Math.max(1, tree.model.deepest))).toFixed(1)}px`);
    if (height !== this.rowHeight) {
      this.rowHeight = height;
      tree.refresh();
    } else this.drawSoon();
  };

  /** The part of the window in which rows can be seen. */
  edges() {
    const pane = this.scroller();
    const box = pane === document.scrollingElement ? { top: 0, bottom: innerHeight } : pane.getBoundingClientRect();
    return { top: Math.max(0, box.top), bottom: Math.min(innerHeight, box.bottom) };
  }

  rowsPerPage() {
    const { top, bottom } = this.edges();
    return Math.max(1, Math.floor((bottom - top) / this.rowHeight) - 3);
  }

  scroller() {
    const pane = this.tree.closest(".pane");
    const scrolls = pane && getComputedStyle(pane).overflowY === "auto";
    return scrolls ? pane : /** @type {Element} */ (document.scrollingElement);
  }

  /* ---- Drawing ---- */

  /** Draws everything again, after folding, filtering or new rows. */
  refresh() {
    this.body.style.height = `${this.tree.shown.length * this.rowHeight}px`;
    this.drawAxis();
    this.draw(true);
  }

  drawSoon = () => {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw(false);
    });
  };

  /** @param {boolean} fresh whether rows already drawn may have changed */
  draw(fresh) {
    const { shown } = this.tree;
    const { top, bottom } = this.edges();
    const bodyTop = this.body.getBoundingClientRect().top;
    const wanted = Math.ceil(Math.max(0, bottom - top) / this.rowHeight) + 2 * OVERSCAN;
    const first = Math.max(0, Math.min(shown.length - wanted, Math.floor((top - bodyTop) / this.rowHeight) - OVERSCAN));
    const count = Math.min(wanted, shown.length - first);
    if (!fresh && first === this.first && count === this.pool.length) return;
    const moved = fresh || this.first < 0 ? Infinity : first - this.first;
    this.rotate(moved, count);
    this.first = first;
    this.window.style.transform = `translateY(${first * this.rowHeight}px)`;
    this.pool.forEach((row, k) => {
      const i = shown[first + k];
      if (row.drawn === i && !fresh) return;
      row.drawn = i;
      this.fill(row, i);
    });
    this.markActive();
  }

  /** Reuses the rows that stay in view, in the order of the document. @param {number} moved @param {number} count */
  rotate(moved, count) {
    if (Math.abs(moved) < this.pool.length) {
      for (let step = 0; step < Math.abs(moved); step++) {
        const row = /** @type {TreeRow} */ (moved > 0 ? this.pool.shift() : this.pool.pop());
        if (moved > 0) this.pool.push(row), this.window.append(row.root);
        else this.pool.unshift(row), this.window.prepend(row.root);
      }
    }
    while (this.pool.length > count) this.pool.pop()?.root.remove();
    while (this.pool.length < count) {
      const row = new TreeRow();
      this.pool.push(row);
      this.window.append(row.root);
    }
  }

  /** @param {TreeRow} row @param {number} i */
  fill(row, i) {
    const { model, selectedId, tools } = this.tree;
    const { id } = model.rows[i];
    const address = new URL(location.href);
    address.searchParams.set("span", id);
    row.fill(model, i, { selected: id === selectedId, found: tools.found.has(i), href: address.href });
  }

  markActive() {
    const i = this.tree.model.at.get(this.tree.selectedId);
    const drawn = i !== undefined && this.pool.some((row) => row.drawn === i);
    if (drawn) this.body.setAttribute("aria-activedescendant", `span-row-${i}`);
    else this.body.removeAttribute("aria-activedescendant");
  }

  drawAxis() {
    const { total } = this.tree.model;
    const step = axisStep(total);
    const ticks = [];
    for (let at = 0; at <= total; at += step) {
      ticks.push(svg("text", { x: `${((at / total) * 100).toFixed(2)}%`, dx: "4", y: "18" }, document.createTextNode(tick(at))));
      ticks.push(svg("line", { class: "tree-tick", x1: `${((at / total) * 100).toFixed(2)}%`, x2: `${((at / total) * 100).toFixed(2)}%`, y1: "8", y2: "28" }));
    }
    this.axis.replaceChildren(svg("svg", {}, ...ticks));
    this.tree.style.setProperty("--tick", `${((step / total) * 100).toFixed(3)}%`);
  }

  /* ---- Position ---- */

  /** The row at the top edge, when the tree begins above it. */
  topRow() {
    const { shown, model } = this.tree;
    if (!shown.length) return null;
    const offset = this.edges().top - this.body.getBoundingClientRect().top;
    if (offset <= 0) return null;
    const i = shown[Math.min(shown.length - 1, Math.floor(offset / this.rowHeight))];
    return { id: model.rows[i].id, within: offset % this.rowHeight };
  }

  /** @param {{id: string, within: number}} anchor */
  keepAt(anchor) {
    const place = this.tree.shown.indexOf(this.tree.model.at.get(anchor.id) ?? -1);
    if (place < 0) return;
    const offset = this.edges().top - this.body.getBoundingClientRect().top;
    this.scroller().scrollTop += place * this.rowHeight + anchor.within - offset;
  }

  /** Scrolls only when the row is not in view. @param {number} place among the shown rows @param {boolean} centre */
  bringIntoView(place, centre) {
    const view = this.edges();
    const covered = this.head.getBoundingClientRect().height;
    const top = this.body.getBoundingClientRect().top + place * this.rowHeight;
    const low = view.top + covered;
    const high = view.bottom - this.rowHeight;
    if (top >= low && top <= high) return;
    this.scroller().scrollTop += centre ? top - (low + high) / 2 : top < low ? top - low : top - high;
    this.draw(false);
  }
}
