// Keys that work on every page. Elements with keys of their own (span-tree) handle theirs and stop the event.
import { takesText } from "./dom.js";
import { foldSidebar, openDialog } from "./shell.js";

/** @param {number} step */
function walkRows(step) {
  const links = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("a[data-row-link]")]);
  if (!links.length) return false;
  const at = links.findIndex((link) => link.closest("tr, li")?.getAttribute("aria-selected") === "true");
  const next = links[at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + step))];
  links[at]?.closest("tr, li")?.removeAttribute("aria-selected");
  next.closest("tr, li")?.setAttribute("aria-selected", "true");
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
  return true;
}

/** @param {string} key @returns {boolean} whether the key meant something here */
function act(key) {
  if (key === "j" || key === "k") return walkRows(key === "j" ? 1 : -1);
  if (key === "[") foldSidebar();
  else if (key === "?") openDialog("shortcuts");
  else if (key === "/") {
    const search = /** @type {HTMLElement | null} */ (document.querySelector("[data-search]"));
    search?.focus();
    return search !== null;
  } else return false;
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target instanceof HTMLElement && event.target.matches("[data-search]")) {
    event.target.blur();
    return;
  }
  if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey || takesText(event.target)) return;
  if (document.querySelector("dialog:modal")) return;
  if (act(event.key)) event.preventDefault();
});
