// <split-pane class="panes" key="trace"> with two .pane children: a handle between them, the width remembered by key.
// Below 1200 px the panes stack and the handle is gone (layout.css).
import { element, recall, remember } from "../dom.js";

const LEAST = 0.22;
const MOST = 0.7;
const STEP = 0.02;

class SplitPane extends HTMLElement {
  connectedCallback() {
    const side = this.querySelector(":scope > .pane:last-child");
    if (!side || this.handle) return;
    this.handle = element("div", { class: "resize", role: "separator", tabindex: "0", "aria-orientation": "vertical", "aria-label": "Width of the panes", "aria-valuemin": String(LEAST * 100), "aria-valuemax": String(MOST * 100), "aria-valuenow": "39" });
    this.append(this.handle);
    this.handle.addEventListener("pointerdown", this.drag);
    this.handle.addEventListener("keydown", this.press);
    this.handle.addEventListener("dblclick", () => this.set(null));
    const kept = Number(recall(this.storageKey));
    if (kept) this.set(kept, false);
  }

  get storageKey() {
    return `split:${this.getAttribute("key") ?? "panes"}`;
  }

  /** @param {number | null} share of the second pane, null for the default @param {boolean} [keep] */
  set(share, keep = true) {
    const bounded = share === null ? null : Math.min(MOST, Math.max(LEAST, share));
    if (bounded === null) this.style.removeProperty("--split");
    else this.style.setProperty("--split", `${(bounded * 100).toFixed(1)}%`);
    this.toggleAttribute("data-split", bounded !== null);
    this.handle?.setAttribute("aria-valuenow", String(Math.round((bounded ?? 0.39) * 100)));
    if (keep) remember(this.storageKey, bounded === null ? null : bounded.toFixed(3));
    dispatchEvent(new Event("resize"));
  }

  /** @param {PointerEvent} start */
  drag = (start) => {
    start.preventDefault();
    const handle = /** @type {HTMLElement} */ (this.handle);
    handle.setPointerCapture(start.pointerId);
    const box = this.getBoundingClientRect();
    const move = (/** @type {PointerEvent} */ event) => this.set((box.right - event.clientX) / box.width, false);
    const end = (/** @type {PointerEvent} */ event) => {
      handle.removeEventListener("pointermove", move);
      this.set((box.right - event.clientX) / box.width);
    };
    handle.addEventListener("pointermove", move);
    handle.addEventListener("pointerup", end, { once: true });
  };

  /** @param {KeyboardEvent} event */
  press = (event) => {
    const step = { ArrowLeft: STEP, ArrowRight: -STEP }[event.key];
    if (!step) return;
    event.preventDefault();
    this.set(Number(this.handle?.getAttribute("aria-valuenow") ?? 39) / 100 + step);
  };
}

customElements.define("split-pane", SplitPane);
