// Short confirmations and failures at the corner of the window.
import { element, icon } from "./dom.js";

const LIFETIME_MS = 6000;

/**
 * @param {string} text
 * @param {"pass" | "warn" | "error"} [verdict]
 * @param {string} [detail] a second line, such as a request id
 */
export function toast(text, verdict = "pass", detail = "") {
  const room = document.getElementById("toasts");
  if (!room) return;
  const body = element("div", {}, text);
  if (detail) body.append(element("div", { class: "faint micro mono" }, detail));
  const name = { pass: "circle-check", warn: "triangle-alert", error: "circle-x" }[verdict];
  const made = element("div", { class: "toast", "data-verdict": verdict }, icon(name), body);
  const close = element("button", { class: "button is-small is-icon is-quiet", type: "button", "aria-label": "Dismiss", "data-toast-close": "" }, icon("x"));
  made.append(close);
  room.append(made);
  while (room.children.length > 4) room.firstElementChild?.remove();
  if (verdict === "pass") setTimeout(() => made.remove(), LIFETIME_MS);
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target.closest("[data-toast-close]") : null;
  target?.closest(".toast")?.remove();
});
for (const shown of document.querySelectorAll('.toast[data-verdict="pass"]')) setTimeout(() => shown.remove(), LIFETIME_MS);
