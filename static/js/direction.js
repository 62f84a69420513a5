// Text of others beside ours: characters that turn its direction are shown, not obeyed. The same list and marks as in
// traces/templatetags/direction.py.
import { element } from "./dom.js";

/** @type {Record<string, [string, string]>} */
const CONTROLS = {
  "\u061c": ["ALM", "Arabic letter mark"],
  "\u200e": ["LRM", "left-to-right mark"],
  "\u200f": ["RLM", "right-to-left mark"],
  "\u202a": ["LRE", "left-to-right embedding"],
  "\u202b": ["RLE", "right-to-left embedding"],
  "\u202c": ["PDF", "end of embedding or override"],
  "\u202d": ["LRO", "left-to-right override"],
  "\u202e": ["RLO", "right-to-left override"],
  "\u2066": ["LRI", "left-to-right isolate"],
  "\u2067": ["RLI", "right-to-left isolate"],
  "\u2068": ["FSI", "first strong isolate"],
  "\u2069": ["PDI", "end of isolate"],
};
const CONTROL = new RegExp(`([${Object.keys(CONTROLS).join("")}])`);

/** The text as nodes, with a mark for each control. Put them into an element that isolates. @param {string} text @returns {(string | Node)[]} */
export function withMarks(text) {
  if (!CONTROL.test(text)) return [text];
  return text.split(CONTROL).filter(Boolean).map((part) => (CONTROLS[part] ? mark(part) : part));
}

/** Plain text for attributes: `‹RLO›` where the control was. @param {string} text */
export function spelled(text) {
  if (!CONTROL.test(text)) return text;
  return text.split(CONTROL).map((part) => (CONTROLS[part] ? `‹${CONTROLS[part][0]}›` : part)).join("");
}

/** @param {string} control */
function mark(control) {
  const [short, name] = CONTROLS[control];
  const code = control.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
  return element("span", { class: "control-mark", title: `U+${code} ${name}` }, short);
}
