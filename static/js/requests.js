// htmx: the CSRF header on every request, and a word to the person when a request fails.
import { toast } from "./toasts.js";

const csrf = () => document.querySelector('meta[name="csrf-token"]')?.getAttribute("content") ?? "";

/** @param {Event} event */
const detail = (event) => /** @type {CustomEvent} */ (event).detail;

document.addEventListener("htmx:configRequest", (event) => {
  const { verb, headers } = detail(event);
  if (verb !== "get") headers["X-CSRFToken"] = csrf();
});

/** @param {number} status */
function sentence(status) {
  if (status === 401) return "You are signed out. Sign in again; nothing was changed.";
  if (status === 403) return "You may not do this here. Ask an owner of the organisation.";
  if (status === 404) return "This is no longer here. Load the page again.";
  if (status === 413) return "That was too large to take.";
  if (status === 429) return "Too many requests. Wait a little and try again.";
  if (status === 503) return "A part of TraceRoot is not answering. Try again in a moment.";
  return "That did not work. Nothing on this page was changed.";
}

document.addEventListener("htmx:responseError", (event) => {
  const { xhr } = detail(event);
  const id = xhr.getResponseHeader("X-Request-ID");
  toast(sentence(xhr.status), "error", `${xhr.status}${id ? ` · request ${id}` : ""}`);
});
for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, () => toast("The server did not answer. Check the connection and try again.", "error"));
}
