// The bar above the span tree: find, only trouble, fold. It changes the tree's model and asks it to draw.
import { element, icon } from "../dom.js";

const MANY = 40; // spans from which folding by level is offered

export class TreeTools {
  /** @param {any} tree the span-tree these tools belong to */
  constructor(tree) {
    this.tree = tree;
    /** @type {Set<number>} rows of the model that hold the text */
    this.found = new Set();
    this.input = /** @type {HTMLInputElement} */ (element("input", { type: "search", "aria-label": "Find in trace", placeholder: "Find in trace", spellcheck: "false" }));
    this.tally = element("span", { class: "count", role: "status" });
    this.trouble = element("button", { type: "button", class: "button is-small is-quiet", "aria-pressed": "false" }, icon("octagon-alert"), element("span", {}, "Errors only"));
    this.folding = element("button", { type: "button", class: "button is-small is-quiet only-wide" }, icon("fold-vertical"), element("span", {}, "Fold"));
    this.noise = element("button", { type: "button", class: "button is-small is-quiet", "aria-pressed": "false", title: "Spans of HTTP, databases, RPC and queues that carry no content" }, icon("server"), element("span", {}));
    this.summary = element("span", { class: "push small faint truncate only-wide" });
    this.root = element("div", { class: "tree-tools" }, element("span", { class: "find" }, icon("search"), this.input, this.tally), this.trouble, this.noise, this.folding, this.summary);
    this.input.addEventListener("input", () => this.search());
    this.input.addEventListener("keydown", (event) => this.pressed(event));
    this.trouble.addEventListener("click", () => this.toggleTrouble());
    this.folding.addEventListener("click", () => this.toggleFolding());
    this.noise.addEventListener("click", () => this.tree.showNoise(!this.tree.showsNoise));
  }

  search() {
    if (this.tree.noise) this.tree.sift(); // a span that is folded away as machinery may hold the text
    this.found = this.tree.model.find(this.input.value);
    this.write();
    this.tree.draw(true);
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    if (event.key === "Escape" && this.input.value) {
      event.preventDefault();
      this.input.value = "";
      this.search();
    } else if (event.key === "Escape") this.tree.body.focus();
    if (event.key !== "Enter" || !this.found.size) return;
    event.preventDefault();
    const { model, selectedId } = this.tree;
    const ids = new Set([...this.found].map((i) => model.rows[i].id));
    const next = model.next(model.at.get(selectedId) ?? -1, (/** @type {{id: string}} */ span) => ids.has(span.id), event.shiftKey ? -1 : 1);
    if (next < 0) return;
    if (model.onlyTrouble && !model.hasTrouble[next]) this.toggleTrouble();
    this.tree.select(model.rows[next].id);
    this.write();
  }

  toggleTrouble() {
    const { model } = this.tree;
    model.onlyTrouble = !model.onlyTrouble;
    this.tree.refresh();
  }

  toggleFolding() {
    const { model } = this.tree;
    if (model.folded.size) model.folded.clear();
    else model.foldFrom(2);
    this.tree.refresh();
  }

  /** After new rows, folding or filtering. */
  refresh() {
    const { model, noise, showsNoise } = this.tree;
    if (this.input.value) this.found = model.find(this.input.value);
    this.write();
    this.trouble.hidden = !model.troubles && !model.onlyTrouble;
    this.trouble.setAttribute("aria-pressed", String(model.onlyTrouble));
    this.folding.hidden = model.rows.length < MANY;
    const folded = model.folded.size > 0;
    /** @type {Element} */ (this.folding.lastElementChild).textContent = folded ? "Unfold" : "Fold";
    this.noise.hidden = !noise;
    this.noise.setAttribute("aria-pressed", String(showsNoise));
    /** @type {Element} */ (this.noise.lastElementChild).textContent = `${noise.toLocaleString("en-US")} infrastructure`;
    const count = this.tree.rows.length;
    const spans = `${count.toLocaleString("en-US")} ${count === 1 ? "span" : "spans"}`;
    this.summary.textContent = model.onlyTrouble || model.rows.length < count ? `${this.tree.shown.length.toLocaleString("en-US")} of ${spans}` : spans;
  }

  write() {
    if (!this.input.value.trim()) {
      this.tally.textContent = "";
      return;
    }
    const at = this.tree.model.at.get(this.tree.selectedId) ?? -1;
    const place = this.found.has(at) ? [...this.found].indexOf(at) + 1 : 0;
    this.tally.textContent = place ? `${place} of ${this.found.size}` : String(this.found.size);
  }
}
