// <first-span socket src>: waits for a project's first trace. Looks on every notice and every three seconds; what the server
// answers replaces the content, and an answer with [data-arrived] ends the waiting, opening its href.
import { coalesce, fetchFragment, listen, serialise } from "../socket.js";

const POLL_MS = 3000;
const OPEN_AFTER_MS = 1200; // long enough to read that it has arrived

class FirstSpan extends HTMLElement {
  /** what the server said last */
  said = "";

  connectedCallback() {
    if (this.querySelector("[data-arrived]")) return;
    this.work = coalesce(() => this.look(), POLL_MS / 6);
    this.timer = setInterval(() => this.work?.ask(), POLL_MS);
    this.line = listen(this.getAttribute("socket") ?? "/ws/", () => {
      this.work?.ask();
      return true;
    }, () => {});
  }

  disconnectedCallback() {
    this.stop();
  }

  stop() {
    clearInterval(this.timer);
    this.line?.stop();
    this.line = undefined;
    this.work?.stop();
  }

  async look() {
    const answer = await fetchFragment(this.getAttribute("src") ?? location.href).finally(() => this.line?.credit());
    const fresh = serialise(answer);
    if (fresh !== this.said) {
      this.said = fresh;
      this.replaceChildren(...answer.childNodes);
      /** @type {any} */ (window).htmx?.process(this);
    }
    const arrived = this.querySelector("[data-arrived]");
    if (!arrived) return;
    this.stop();
    const address = arrived.getAttribute("href");
    if (address) setTimeout(() => location.assign(address), OPEN_AFTER_MS);
  }
}

customElements.define("first-span", FirstSpan);
