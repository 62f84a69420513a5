// <json-view open="1" quotes='["…"]'>raw text</json-view>: a tree of JSON that draws a level when it is opened. Text that is
// not JSON stays text. Long strings fold, images in data URLs become thumbnails, quotes of evidence are marked.
import { spelled, withMarks } from "../direction.js";
import { element, icon } from "../dom.js";
import { copyText } from "./copy-button.js";
import { toast } from "../toasts.js";

const LONG_STRING = 600;
const PAGE = 100; // entries of a list drawn at once
const IMAGE = /^data:image\/(png|jpeg|gif|webp|avif);base64,/;
const PLAIN_KEY = /^[A-Za-z_$][\w$]*$/;

/** @typedef {string | number | boolean | null | undefined | object} Value */

class JsonView extends HTMLElement {
  connectedCallback() {
    if (this.raw !== undefined) return;
    this.raw = (this.textContent ?? "").trim();
    this.classList.add("json");
    /** @type {string[]} */
    this.quotes = parseQuotes(this.getAttribute("quotes"));
    const [value, isJson] = parse(this.raw);
    if (!isJson || typeof value === "string") {
      this.replaceChildren(this.text(typeof value === "string" && isJson ? value : this.raw, false));
      return;
    }
    this.replaceChildren(this.node(null, /** @type {Value} */ (value), "$", Number(this.getAttribute("open") ?? 1)));
    if (value !== null && typeof value === "object") this.append(this.tools());
  }

  tools() {
    const wrap = element("button", { type: "button", class: "button is-small is-icon is-quiet", title: "Wrap lines", "aria-label": "Wrap lines", "aria-pressed": "true" }, icon("corner-down-left"));
    wrap.addEventListener("click", () => {
      const off = this.toggleAttribute("data-nowrap");
      wrap.setAttribute("aria-pressed", String(!off));
    });
    const copy = element("button", { type: "button", class: "button is-small is-icon is-quiet", title: "Copy all", "aria-label": "Copy all" }, icon("copy"));
    copy.addEventListener("click", () => void this.copy(this.raw ?? "", "Copied"));
    return element("span", { class: "json-tools" }, wrap, copy);
  }

  /** @param {string} text @param {string} said */
  async copy(text, said) {
    try {
      await copyText(text);
      toast(said);
    } catch {
      toast("The browser did not allow copying. Select the text and copy it by hand.", "warn");
    }
  }

  /** @param {string | null} key @param {Value} value @param {string} path @param {number} open levels @returns {HTMLElement} */
  node(key, value, path, open) {
    if (value === null || typeof value !== "object") return this.leaf(key, value, path);
    const entries = Array.isArray(value) ? value.length : Object.keys(value).length;
    const summary = element("summary", {}, ...this.key(key), element("span", { class: "json-size" }, Array.isArray(value) ? `[${entries}]` : `{${entries}}`));
    if (entries) summary.append(element("span", { class: "json-glance" }, ...withMarks(glance(value))));
    const details = /** @type {HTMLDetailsElement} */ (element("details", {}, summary));
    const fill = () => {
      if (details.open && details.childElementCount === 1) details.append(this.level(value, path, open - 1));
    };
    details.addEventListener("toggle", fill);
    details.open = open > 0 || this.holdsQuote(value);
    fill();
    return element("div", { class: "json-node" }, details, this.actions(path, value));
  }

  /** @param {object} value @param {string} path @param {number} open */
  level(value, path, open) {
    const isList = Array.isArray(value);
    const entries = Object.entries(value);
    const box = element("div", { class: "json-children" });
    const draw = (/** @type {number} */ from) => {
      for (const [key, child] of entries.slice(from, from + PAGE)) {
        box.append(this.node(isList ? null : key, child, isList ? `${path}[${key}]` : `${path}${PLAIN_KEY.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`}`, open));
      }
      const left = entries.length - from - PAGE;
      if (left <= 0) return;
      const more = element("button", { type: "button", class: "link-button leaf" }, `Show ${Math.min(PAGE, left)} of ${left} more`);
      more.addEventListener("click", () => {
        more.remove();
        draw(from + PAGE);
      });
      box.append(more);
    };
    draw(0);
    return box;
  }

  /** @param {string | null} key */
  key(key) {
    return key === null ? [] : [element("span", { class: "k" }, ...withMarks(key)), ": "];
  }

  /** @param {string | null} key @param {Value} value @param {string} path */
  leaf(key, value, path) {
    const line = element("div", { class: "leaf" }, ...this.key(key));
    if (typeof value === "string") line.append(IMAGE.test(value) ? thumbnail(value) : this.text(value, true));
    else line.append(element("span", { class: typeof value === "number" ? "n" : "b" }, String(value)));
    if (key !== null && this.quotesPair(key, value)) line.classList.add("is-quoted");
    line.append(this.actions(path, value));
    return line;
  }

  /** Whether evidence quotes the key together with its value, as `"code": "refused"`. @param {string} key @param {Value} value */
  quotesPair(key, value) {
    const written = `${JSON.stringify(key)}: ${JSON.stringify(value)}`;
    return (this.quotes ?? []).some((quote) => quote.includes(":") && (written.includes(quote) || written.replace(": ", ":").includes(quote)));
  }

  /** Whether a quote stands somewhere below, so that it is not hidden in a folded part. @param {object} value @returns {boolean} */
  holdsQuote(value) {
    if (!this.quotes?.length) return false;
    return Object.entries(value).some(([key, child]) => {
      if (child !== null && typeof child === "object") return this.holdsQuote(child);
      if (typeof child === "string" && this.quotes?.some((quote) => child.includes(quote))) return true;
      return !Array.isArray(value) && this.quotesPair(key, child);
    });
  }

  /** @param {string} path @param {Value} value */
  actions(path, value) {
    const copyValue = element("button", { type: "button", title: "Copy value", "aria-label": `Copy value of ${spelled(path)}` }, icon("copy"));
    copyValue.addEventListener("click", (event) => {
      event.preventDefault();
      void this.copy(typeof value === "string" ? value : JSON.stringify(value, null, 2), "Value copied");
    });
    const copyPath = element("button", { type: "button", title: `Copy path ${spelled(path)}`, "aria-label": `Copy path ${spelled(path)}` }, icon("route"));
    copyPath.addEventListener("click", (event) => {
      event.preventDefault();
      void this.copy(path, "Path copied");
    });
    return element("span", { class: "json-actions" }, copyValue, copyPath);
  }

  /** @param {string} text @param {boolean} quoted in JSON quotes @returns {HTMLElement} */
  text(text, quoted) {
    const isLong = text.length > LONG_STRING;
    const shown = element("span", { class: quoted ? "s" : "json-text" });
    const draw = (/** @type {string} */ part) => shown.replaceChildren(...(quoted ? ['"', ...this.marked(part), '"'] : this.marked(part)));
    draw(isLong ? `${text.slice(0, LONG_STRING)}…` : text);
    if (!isLong) return shown;
    const more = element("button", { type: "button", class: "link-button" }, `Show all ${text.length.toLocaleString("en-US")} characters`);
    more.addEventListener("click", () => {
      draw(text);
      more.remove();
    });
    return element("span", {}, shown, " ", more);
  }

  /** @param {string} text @returns {(string | Node)[]} */
  marked(text) {
    for (const quote of this.quotes ?? []) {
      const at = text.indexOf(quote);
      if (at < 0) continue;
      return [...this.marked(text.slice(0, at)), element("mark", {}, ...withMarks(quote)), ...this.marked(text.slice(at + quote.length))];
    }
    return withMarks(text);
  }
}

/** @param {string} text @returns {[unknown, boolean]} */
function parse(text) {
  if (!/^[[{"\-\dtfn]/.test(text)) return [text, false];
  try {
    return [JSON.parse(text), true];
  } catch {
    return [text, false];
  }
}

/** @param {string | null} text */
function parseQuotes(text) {
  const [value] = parse(text ?? "");
  return Array.isArray(value) ? value.filter((quote) => typeof quote === "string" && quote) : [];
}

/** A few words of what a closed node holds. @param {object} value */
function glance(value) {
  const parts = [];
  let room = 60;
  for (const [key, child] of Object.entries(value)) {
    const said = child !== null && typeof child === "object" ? (Array.isArray(child) ? "[…]" : "{…}") : String(child).slice(0, 40);
    parts.push(Array.isArray(value) ? said : `${key}: ${said}`);
    room -= parts[parts.length - 1].length;
    if (room < 0) break;
  }
  return parts.join(", ");
}

/** Drawn on a canvas: the policy of the page allows no data or blob addresses for images. @param {string} address */
function thumbnail(address) {
  const canvas = /** @type {HTMLCanvasElement} */ (element("canvas", { class: "json-image", role: "img", "aria-label": "Image" }));
  const caption = element("span", { class: "faint" });
  const [head, body] = address.split(",", 2);
  void (async () => {
    try {
      const bytes = Uint8Array.from(atob(body), (character) => character.charCodeAt(0));
      const image = await createImageBitmap(new Blob([bytes], { type: head.slice(5, -7) }));
      const scale = Math.min(1, 240 / image.width, 160 / image.height);
      canvas.width = Math.max(1, Math.round(image.width * scale));
      canvas.height = Math.max(1, Math.round(image.height * scale));
      canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
      caption.textContent = ` ${image.width} × ${image.height}, ${Math.ceil(bytes.length / 1024).toLocaleString("en-US")} kB`;
    } catch {
      canvas.remove();
      caption.textContent = `image that cannot be read, ${address.length.toLocaleString("en-US")} characters`;
    }
  })();
  return element("span", { class: "json-picture" }, canvas, caption);
}

customElements.define("json-view", JsonView);
