// <live-trace socket trace>: an open trace that grows while its agent runs. Each notice re-reads the tree and the fragments
// marked data-live-src; selection, folding and scrolling stay. Spans that a fragment names in data-finding-span are flagged in
// the tree. What a fragment marks data-live-for="id" goes to that place anywhere on the page; its <title> becomes the page's.
import { pointerReleased } from "../pointer.js";
import { coalesce, fetchFragment, listen, serialise } from "../socket.js";

const PAUSE_MS = 400;

class LiveTrace extends HTMLElement {
  connectedCallback() {
    /** @type {{state: string, missed: number}} */
    this.liveState = { state: "connecting", missed: 0 };
    this.paused = false;
    /** @type {import("../socket.js").SocketState} */
    this.state = "connecting";
    this.work = coalesce(() => this.refresh(), PAUSE_MS);
    this.line = listen(
      this.getAttribute("socket") ?? "/ws/",
      (notice) => {
        const ours = notice.trace_id === this.getAttribute("trace") || ["reconnected", "debugging"].includes(notice.type);
        return ours && this.noticed();
      },
      (state) => {
        this.state = state;
        this.say();
      },
    );
    this.addEventListener("htmx:afterSettle", this.flag);
    // Parts of other apps are not in the page as it came: they are read once, at first.
    this.first = coalesce(() => this.refreshAll([...this.querySelectorAll("[data-live-src][data-live-first]")]), PAUSE_MS);
    this.first.ask();
  }

  disconnectedCallback() {
    this.line?.stop();
    this.work?.stop();
    this.first?.stop();
  }

  /** Whether it is worked on. */
  noticed() {
    if (this.paused) this.tell("paused", (this.liveState?.missed ?? 0) + 1);
    else this.work?.ask();
    return !this.paused;
  }

  /** @param {string} state @param {number} [missed] */
  tell(state, missed = 0) {
    this.liveState = { state, missed };
    this.dispatchEvent(new CustomEvent("live-state", { detail: this.liveState, bubbles: true }));
  }

  /** A settled run is followed as well, since late spans and findings come, but says nothing of it. */
  say() {
    const running = this.querySelector("[data-run-state]")?.getAttribute("data-run-state") === "running";
    if (this.paused) this.tell("paused", this.liveState?.missed);
    else this.tell(!running ? "done" : this.state === "open" ? "live" : this.state);
  }

  toggle() {
    this.paused = !this.paused;
    this.liveState = { state: "", missed: 0 };
    this.say();
    if (!this.paused) this.work?.ask();
  }

  async refresh() {
    const tree = /** @type {any} */ (this.querySelector("span-tree"));
    const parts = [...this.querySelectorAll("[data-live-src]")];
    try {
      await settled([tree?.reload(), this.refreshAll(parts)]);
    } finally {
      this.line?.credit();
      this.say();
      this.flag();
    }
  }

  /** Reads these parts again; one that cannot be read does not keep back the others. @param {Element[]} parts */
  async refreshAll(parts) {
    try {
      await settled(parts.map((part) => this.refreshPart(part)));
    } finally {
      this.flag();
    }
  }

  flag = () => {
    /** @type {any} */ (this.querySelector("span-tree"))?.flag?.(findingsOf(this));
  };

  /** @param {Element} part */
  async refreshPart(part) {
    const answer = await fetchFragment(part.getAttribute("data-live-src") ?? "");
    await pointerReleased();
    const title = answer.querySelector("title[data-live-title]");
    if (title) document.title = title.textContent ?? "";
    title?.remove();
    for (const piece of answer.querySelectorAll("[data-live-for]")) {
      piece.remove();
      const place = document.getElementById(piece.getAttribute("data-live-for") ?? "");
      if (place) this.put(place, [...piece.childNodes], piece.outerHTML);
    }
    this.put(part, [...answer.childNodes], serialise(answer));
  }

  /** @param {Element} part @param {Node[]} nodes @param {string} fresh what the server said, before scripts changed it */
  put(part, nodes, fresh) {
    // Unchanged parts are left alone, so that an open popover or a text selection survives.
    if (part.getAttribute("data-live-said") === fresh) return;
    if (part.contains(document.activeElement)) {
      part.addEventListener("focusout", () => this.work?.ask(), { once: true });
      return;
    }
    part.setAttribute("data-live-said", fresh);
    part.replaceChildren(...nodes);
    /** @type {any} */ (window).htmx?.process(part);
  }
}

/** Waits for all of them; throws the reason of the first that failed. @param {Promise<unknown>[]} works */
async function settled(works) {
  const outcomes = await Promise.allSettled(works);
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
}

/** How many findings name each span. @param {Element} page @returns {Map<string, number>} */
function findingsOf(page) {
  const counts = new Map();
  for (const one of page.querySelectorAll("[data-finding-span]")) {
    const id = one.getAttribute("data-finding-span") ?? "";
    if (id) counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}

customElements.define("live-trace", LiveTrace);
