// <live-state for="id">: whether a live element follows, waits or has lost the line; pressing it pauses and resumes. Nothing
// is shown for what has ended.
import { element } from "../dom.js";

const TITLES = {
  live: "New rows appear as they arrive. Press to pause.",
  paused: "Nothing changes while paused. Press to follow again.",
  connecting: "Connecting to the server.",
  waiting: "The line to the server is down; trying again.",
  refused: "You are signed out, or may no longer see this project. Load the page again.",
  done: "This run has ended.",
};

class LiveState extends HTMLElement {
  connectedCallback() {
    if (!this.button) {
      this.button = element("button", { type: "button", class: "live-button" });
      this.button.addEventListener("click", () => this.source?.toggle?.());
      this.replaceChildren(this.button);
    }
    document.addEventListener("live-state", this.changed);
    this.draw(this.source?.liveState ?? { state: "connecting", missed: 0 });
  }

  disconnectedCallback() {
    document.removeEventListener("live-state", this.changed);
  }

  get source() {
    return /** @type {any} */ (document.getElementById(this.getAttribute("for") ?? ""));
  }

  /** @param {Event} event */
  changed = (event) => {
    if (event.target === this.source) this.draw(/** @type {CustomEvent} */ (event).detail);
  };

  /** @param {{state: keyof typeof TITLES, missed: number}} detail */
  draw({ state, missed }) {
    const button = /** @type {HTMLElement} */ (this.button);
    this.hidden = state === "done";
    const words = { live: "Live", connecting: "Connecting", waiting: "Reconnecting", refused: "Stopped", done: "", paused: missed ? `Paused, ${missed} missed` : "Paused" };
    button.className = state === "live" ? "live live-button" : `live-button is-${state}`;
    button.textContent = words[state];
    button.title = TITLES[state];
    button.setAttribute("aria-pressed", String(state === "paused"));
  }
}

customElements.define("live-state", LiveState);
