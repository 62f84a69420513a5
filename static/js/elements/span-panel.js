// <span-panel src="/…/spans/{id}/">: shows the details of the span that was selected, by the tab that was
// pressed. The old ones stay until the new are here; of several asked for, only the last is shown.
import { element, icon } from "../dom.js";
import { pointerReleased } from "../pointer.js";

const SETTLE_MS = 70; // someone holding an arrow key passes many spans; only where they stop is fetched

class SpanPanel extends HTMLElement {
  /** id of the span that was selected and is not here yet */
  awaited = "";

  connectedCallback() {
    this.tabIndex = -1;
    document.addEventListener("span-select", this.selected);
    this.addEventListener("click", this.turned);
  }

  disconnectedCallback() {
    document.removeEventListener("span-select", this.selected);
    clearTimeout(this.timer);
    this.request?.abort();
  }

  /** @param {Event} event */
  selected = (event) => {
    const { id } = /** @type {CustomEvent<{id: string}>} */ (event).detail;
    this.awaited = id;
    // Where it stands below the tree, it comes into view with the selected row above it.
    if (this.getBoundingClientRect().top > innerHeight * 0.75) this.scrollIntoView({ block: "start" });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.load(id), SETTLE_MS);
  };

  /** A tab pressed while another span is on its way is meant for that one. @param {MouseEvent} event */
  turned = (event) => {
    const link = event.target instanceof Element ? event.target.closest("a[data-tab]") : null;
    if (!(link instanceof HTMLAnchorElement) || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    clearTimeout(this.timer);
    const { tab = "" } = link.dataset;
    const page = new URL(location.href);
    page.searchParams.set("tab", tab); // it holds for the spans selected next, and for whom the address is sent
    history.replaceState(history.state, "", page);
    // The tab that is shown is not read again: what was opened in it stays open.
    if (link.getAttribute("aria-selected") === "true" && !this.awaited && !this.hasAttribute("aria-busy")) return;
    void this.load(this.awaited || (new URL(link.href).searchParams.get("span") ?? ""), tab).then(() => {
      // The tab that had the focus is gone with the old panel; a focus that has moved on stays.
      if (document.activeElement === document.body) /** @type {HTMLElement | null} */ (this.querySelector(`a[data-tab="${tab}"]`))?.focus({ preventScroll: true });
    });
  };

  /** @param {string} id @param {string | null} [tab] */
  async load(id, tab = new URLSearchParams(location.search).get("tab")) {
    const address = new URL((this.getAttribute("src") ?? "").replace("{id}", encodeURIComponent(id)), location.href);
    if (tab) address.searchParams.set("tab", tab);
    this.request?.abort();
    const request = new AbortController();
    this.request = request;
    this.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address, { headers: { "HX-Request": "true" }, credentials: "same-origin", signal: request.signal });
      const text = await answer.text();
      if (!answer.ok) throw new Error(answer.headers.get("X-Request-ID") ?? String(answer.status));
      await pointerReleased();
      if (request.signal.aborted) return;
      const template = document.createElement("template");
      template.innerHTML = text;
      this.show(template.content.childNodes);
    } catch (error) {
      if (!request.signal.aborted) this.show([this.failure(id, error)]);
    } finally {
      if (this.request === request) {
        if (this.awaited === id) this.awaited = "";
        this.removeAttribute("aria-busy");
      }
    }
  }

  /** @param {Iterable<Node>} nodes live lists are copied first */
  show(nodes) {
    this.replaceChildren(...nodes);
    (this.closest(".pane") ?? this).scrollTop = 0;
    /** @type {any} */ (window).htmx?.process(this);
    this.dispatchEvent(new CustomEvent("span-panel-load", { bubbles: true }));
  }

  /** @param {string} id @param {unknown} error */
  failure(id, error) {
    const again = element("button", { class: "button is-small", type: "button" }, icon("refresh-cw"), "Try again");
    again.addEventListener("click", () => void this.load(id));
    const why = error instanceof TypeError ? "the server did not answer" : `request ${error instanceof Error ? error.message : "failed"}`;
    const text = element("p", {}, element("b", {}, "This span could not be loaded."), ` The tree is unaffected; ${why}.`);
    return element("div", { class: "panel-body" }, element("div", { class: "banner", "data-verdict": "error", role: "alert" }, icon("circle-x"), text, again));
  }
}

customElements.define("span-panel", SpanPanel);
