// <pop-over at="below|above|end"> around a button and a .popover[hidden]. The panel goes to the top layer, so that no pane
// clips it; Escape, a click outside or leaving by Tab closes it, and focus returns to the button.

const GAP = 6;
const EDGE = 8;

class PopOver extends HTMLElement {
  connectedCallback() {
    this.trigger = /** @type {HTMLButtonElement | null} */ (this.querySelector("button"));
    this.panel = /** @type {HTMLElement | null} */ (this.querySelector(".popover"));
    if (!this.trigger || !this.panel) return;
    this.panel.popover = "auto";
    this.panel.hidden = false;
    this.trigger.setAttribute("aria-expanded", "false");
    this.trigger.popoverTargetElement = this.panel;
    this.panel.addEventListener("toggle", this.toggled);
    this.panel.addEventListener("keydown", this.walk);
    this.panel.addEventListener("click", this.chosen);
  }

  disconnectedCallback() {
    this.stopFollowing();
  }

  stopFollowing() {
    removeEventListener("resize", this.place);
    removeEventListener("scroll", this.place, true);
  }

  /** @param {Event} event */
  toggled = (event) => {
    const open = /** @type {ToggleEvent} */ (event).newState === "open";
    this.trigger?.setAttribute("aria-expanded", String(open));
    if (!open) {
      this.stopFollowing();
      return;
    }
    this.place();
    addEventListener("resize", this.place);
    addEventListener("scroll", this.place, true);
    const first = this.items[0] ?? this.panel?.querySelector("a, button, input");
    /** @type {HTMLElement | null} */ (first)?.focus({ preventScroll: true });
  };

  place = () => {
    const panel = this.panel;
    const anchor = this.trigger?.getBoundingClientRect();
    if (!panel || !anchor) return;
    const { width, height } = panel.getBoundingClientRect();
    const at = this.getAttribute("at") ?? "below";
    let left = at === "end" ? anchor.right + GAP : anchor.left;
    let top = at === "above" ? anchor.top - height - GAP : at === "end" ? anchor.top : anchor.bottom + GAP;
    if (at === "below" && top + height > innerHeight - EDGE && anchor.top - height - GAP > EDGE) top = anchor.top - height - GAP;
    left = Math.max(EDGE, Math.min(left, innerWidth - width - EDGE));
    top = Math.max(EDGE, Math.min(top, innerHeight - height - EDGE));
    panel.style.left = `${left}px`;
    panel.style.top = `${top}px`;
  };

  get items() {
    return /** @type {HTMLElement[]} */ ([...(this.panel?.querySelectorAll('[role^="menuitem"]') ?? [])]).filter((item) => item.offsetParent !== null);
  }

  /** @param {KeyboardEvent} event */
  walk = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
    const items = this.items;
    if (step === undefined || !items.length) return;
    event.preventDefault();
    const at = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const next = Number.isFinite(step) ? (at + step + items.length) % items.length : step < 0 ? 0 : items.length - 1;
    items[next].focus();
  };

  /** A choice that leads on closes the menu; a radio choice keeps it. @param {Event} event */
  chosen = (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (target?.closest('[role="menuitem"], [data-popover-close]')) this.panel?.hidePopover();
  };
}

customElements.define("pop-over", PopOver);
