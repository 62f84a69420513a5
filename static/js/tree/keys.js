// The keys of a span tree: arrows while it has the focus, letters wherever the focus is on the page.
import { takesText } from "../dom.js";

export class TreeKeys {
  /** @param {any} tree the span-tree that they move in */
  constructor(tree) {
    this.tree = tree;
  }

  listen() {
    document.addEventListener("keydown", this.pressedAnywhere);
  }

  stop() {
    document.removeEventListener("keydown", this.pressedAnywhere);
  }

  /** @param {KeyboardEvent} event */
  pressed = (event) => {
    const { tree } = this;
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowDown: () => tree.move(1),
      ArrowUp: () => tree.move(-1),
      ArrowRight: () => tree.enter(1),
      ArrowLeft: () => tree.enter(-1),
      PageDown: () => tree.move(tree.view.rowsPerPage()),
      PageUp: () => tree.move(-tree.view.rowsPerPage()),
      Home: () => tree.move(-Infinity),
      End: () => tree.move(Infinity),
      Enter: () => /** @type {HTMLElement | null} */ (document.querySelector("span-panel"))?.focus(),
    };
    if (event.metaKey || event.ctrlKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  };

  /** @param {KeyboardEvent} event */
  pressedAnywhere = (event) => {
    if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey || takesText(event.target)) return;
    if (document.querySelector("dialog:modal")) return;
    const { tree } = this;
    /** @type {Record<string, () => void>} */
    const keys = { j: () => tree.move(1), k: () => tree.move(-1), e: () => tree.nextTrouble(), "/": () => tree.tools?.input.focus() };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
    if (document.activeElement === document.body) tree.body.focus({ preventScroll: true }); // arrows go on from here
  };
}
