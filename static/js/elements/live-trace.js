// <live-trace socket trace>: an open trace that grows while its agent runs. Each notice re-reads the tree and the fragments
// marked data-live-src; selection, folding and scrolling stay.
import { coalesce, fetchFragment, listen, serialise } from "../socket.js";

const PAUSE_MS = 400;

class LiveTrace extends HTMLElement {
  connectedCallback() {
    /** @type {{state: string, missed: number}} */
    this.liveState = { state: "waiting", missed: 0 };
    this.paused = false;
    this.work = coalesce(() => this.refresh(), PAUSE_MS);
    this.line = listen(
      this.getAttribute("socket") ?? "/ws/",
      (notice) => {
        if (notice.type === "reconnected" || (notice.type === "trace" && notice.trace_id === this.getAttribute("trace"))) this.noticed();
      },
      (state) => this.tell(this.paused ? "paused" : state === "open" ? "live" : "waiting"),
    );
  }

  disconnectedCallback() {
    this.line?.stop();
    this.work?.stop();
  }

  noticed() {
    if (this.paused) this.tell("paused", (this.liveState?.missed ?? 0) + 1);
    else this.work?.ask();
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
    const tree = /** @type {any} */ (this.querySelector("span-tree"));
    const parts = [...this.querySelectorAll("[data-live-src]")];
    const outcomes = await Promise.allSettled([tree?.reload(), ...parts.map((part) => this.refreshPart(part))]);
    this.line?.credit();
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    if (failed?.status === "rejected") throw failed.reason;
  }

  /** @param {Element} part */
  async refreshPart(part) {
    const answer = await fetchFragment(part.getAttribute("data-live-src") ?? "");
    const fresh = serialise(answer);
    // Unchanged parts are left alone, so that an open popover or a text selection survives.
    if (part.getAttribute("data-live-said") === fresh || part.contains(document.activeElement)) return;
    part.setAttribute("data-live-said", fresh);
    part.replaceChildren(...answer.childNodes);
    /** @type {any} */ (window).htmx?.process(part);
  }
}

customElements.define("live-trace", LiveTrace);
