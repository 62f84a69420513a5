// <live-rows socket src rows types>: a list that follows what arrives. Rows are matched by data-key; new ones tint once.
// A reader who has scrolled is not moved: what came waits behind "12 new".
import { element, icon } from "../dom.js";
import { pointerReleased } from "../pointer.js";
import { coalesce, fetchFragment, listen } from "../socket.js";

const PAUSE_MS = 400;
const AT_TOP_PX = 80;

class LiveRows extends HTMLElement {
  connectedCallback() {
    /** @type {{state: string, missed: number}} */
    this.liveState = { state: "connecting", missed: 0 };
    this.paused = false;
    /** @type {Element | null} */
    this.held = null;
    // What the server said of each row, before scripts turned times local or tinted it.
    /** @type {WeakMap<Element, string>} */
    this.said = new WeakMap();
    for (const row of this.rows?.children ?? []) this.said.set(row, row.outerHTML);
    this.work = coalesce(() => this.refresh(), PAUSE_MS);
    const types = (this.getAttribute("types") ?? "traces").split(/\s+/);
    this.line = listen(
      this.getAttribute("socket") ?? "/ws/",
      (notice) => this.noticed(notice.type === "reconnected" || types.includes(notice.type)),
      (state) => this.tell(this.paused ? "paused" : state === "open" ? "live" : state),
    );
  }

  disconnectedCallback() {
    this.line?.stop();
    this.work?.stop();
  }

  get rows() {
    return document.getElementById(this.getAttribute("rows") ?? "");
  }

  /** Whether it is worked on. @param {boolean} ours */
  noticed(ours) {
    if (!ours) return false;
    if (this.paused) this.tell("paused", (this.liveState?.missed ?? 0) + 1);
    else this.work?.ask();
    return !this.paused;
  }

  /** @param {string} state @param {number} [missed] */
  tell(state, missed = 0) {
    this.liveState = { state, missed };
    this.dispatchEvent(new CustomEvent("live-state", { detail: this.liveState, bubbles: true }));
  }

  toggle() {
    this.paused = !this.paused;
    this.tell(this.paused ? "paused" : "live");
    if (!this.paused) this.work?.ask();
  }

  async refresh() {
    try {
      const answer = await fetchFragment(this.getAttribute("src") ?? location.href, { "X-Live-Rows": "1" });
      await pointerReleased();
      if (!this.paused) this.show(answer);
    } finally {
      this.line?.credit(); // also for what could not be read: the next notice tries again
    }
  }

  /** @param {DocumentFragment} answer */
  show(answer) {
    const rows = this.rows;
    const fresh = rows && answer.getElementById(rows.id);
    if (!fresh) return;
    const whole = answer.getElementById(this.id);
    // From "nothing here" to a table or back: rows cannot stand in the other's box.
    if (fresh.tagName !== rows.tagName && whole) this.replaceWhole(whole);
    else if (this.reading) this.hold(fresh);
    else this.swap(fresh);
  }

  /** @param {Element} whole this element as the server has it now */
  replaceWhole(whole) {
    this.replaceChildren(...whole.childNodes);
    for (const row of this.rows?.children ?? []) this.said?.set(row, row.outerHTML);
    /** @type {any} */ (window).htmx?.process(this);
    this.release();
    this.dispatchEvent(new CustomEvent("live-swap", { bubbles: true }));
  }

  get reading() {
    const pane = this.closest(".pane, .table-frame.is-scrolling");
    return Math.max(window.scrollY, pane?.scrollTop ?? 0) > AT_TOP_PX;
  }

  /** @param {Element} rows */
  keys(rows) {
    return new Set([...rows.querySelectorAll("[data-key]")].map((row) => row.getAttribute("data-key")));
  }

  /** @param {Element} fresh */
  swap(fresh) {
    const rows = /** @type {HTMLElement} */ (this.rows);
    const before = this.keys(rows);
    const selected = rows.querySelector('[aria-selected="true"]')?.getAttribute("data-key");
    const focused = document.activeElement?.closest("[data-key]")?.getAttribute("data-key");
    for (const row of fresh.children) this.said?.set(row, row.outerHTML);
    for (const row of fresh.querySelectorAll("[data-key]")) {
      const key = row.getAttribute("data-key");
      if (!before.has(key) && before.size) row.classList.add("is-new");
      if (key === selected) row.setAttribute("aria-selected", "true");
    }
    // Rows that say the same stay in place: their focus, hover and text selection survive.
    const kept = new Map([...rows.children].map((row) => [row.getAttribute("data-key"), row]));
    const next = [...fresh.children].map((row) => {
      const old = kept.get(row.getAttribute("data-key"));
      return old && row.getAttribute("data-key") && this.said?.get(old) === this.said?.get(row) ? old : row;
    });
    arrange(rows, next);
    /** @type {any} */ (window).htmx?.process(rows);
    if (focused && !document.activeElement?.closest("[data-key]")) {
      const row = [...rows.children].find((one) => one.getAttribute("data-key") === focused);
      /** @type {HTMLElement | null | undefined} */ (row?.querySelector("a[data-row-link]"))?.focus({ preventScroll: true });
    }
    this.release();
    this.dispatchEvent(new CustomEvent("live-swap", { bubbles: true }));
  }

  /** @param {Element} fresh */
  hold(fresh) {
    const before = this.keys(/** @type {HTMLElement} */ (this.rows));
    const count = [...this.keys(fresh)].filter((key) => !before.has(key)).length;
    if (!count) {
      this.swap(fresh);
      return;
    }
    this.held = fresh;
    if (!this.button) {
      this.button = element("button", { type: "button", class: "button is-small is-primary live-new" });
      this.button.addEventListener("click", () => this.showHeld());
      this.prepend(element("div", { class: "live-new-box", role: "status" }, this.button));
    }
    this.button.replaceChildren(icon("arrow-up"), `${count} new`);
  }

  showHeld() {
    if (this.held) this.swap(this.held);
    scrollTo({ top: 0 });
    this.closest(".pane, .table-frame.is-scrolling")?.scrollTo({ top: 0 });
  }

  release() {
    this.held = null;
    this.button?.parentElement?.remove();
    this.button = undefined;
  }
}

/** Puts children into an order, moving only those that are elsewhere. @param {Element} parent @param {Element[]} children */
function arrange(parent, children) {
  const wanted = new Set(children);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  children.forEach((child, at) => {
    if (parent.children[at] !== child) parent.insertBefore(child, parent.children[at] ?? null);
  });
}

customElements.define("live-rows", LiveRows);
