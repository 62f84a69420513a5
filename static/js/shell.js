// The frame of a page: theme, sidebar, dialogs, rows that open as a whole.
import { recall, remember } from "./dom.js";

const root = document.documentElement;

/* ---- Theme ---- */
function markTheme() {
  const chosen = recall("theme") ?? "system";
  for (const choice of document.querySelectorAll("[data-theme-choice]")) {
    choice.setAttribute("aria-checked", String(choice.getAttribute("data-theme-choice") === chosen));
  }
}

/** @param {string} choice */
function setTheme(choice) {
  if (choice === "system") delete root.dataset.theme;
  else root.dataset.theme = choice;
  remember("theme", choice === "system" ? null : choice);
  markTheme();
}
markTheme();

/* ---- Settings ---- */
// On a narrow screen the pages of the settings are one line that scrolls sideways.
const settings = document.querySelector(".settings-nav");
const current = /** @type {HTMLElement | null} */ (settings?.querySelector("[aria-current]"));
if (settings && current) settings.scrollLeft = current.offsetLeft - settings.clientWidth / 2 + current.offsetWidth / 2;

/* ---- Sidebar ---- */
export function foldSidebar() {
  root.dataset.sidebar = root.dataset.sidebar === "folded" ? "open" : "folded";
  remember("sidebar", root.dataset.sidebar);
}

/** @param {boolean} open */
function openDrawer(open) {
  const toggle = document.querySelector("[data-sidebar-toggle]");
  root.toggleAttribute("data-sidebar-open", open);
  toggle?.setAttribute("aria-expanded", String(open));
  const first = /** @type {HTMLElement | null} */ (open ? document.querySelector(".sidebar button, .sidebar a") : toggle);
  first?.focus({ preventScroll: true });
}

/* ---- Dialogs ---- */
/** @param {string} id */
export function openDialog(id) {
  const dialog = document.getElementById(id);
  if (!(dialog instanceof HTMLDialogElement) || dialog.open) return;
  for (const part of dialog.querySelectorAll("[data-keys-of]")) {
    /** @type {HTMLElement} */ (part).hidden = !document.querySelector(part.getAttribute("data-keys-of") ?? "");
  }
  dialog.showModal();
}

document.addEventListener("click", (event) => {
  if (!(event.target instanceof Element)) return;
  const target = event.target;
  const theme = target.closest("[data-theme-choice]")?.getAttribute("data-theme-choice");
  if (theme) setTheme(theme);
  if (target.closest("[data-sidebar-fold]")) foldSidebar();
  if (target.closest("[data-sidebar-toggle]")) openDrawer(!root.hasAttribute("data-sidebar-open"));
  else if (target.closest("[data-sidebar-close]")) openDrawer(false);
  const dialog = target.closest("[data-dialog]")?.getAttribute("data-dialog");
  if (dialog) openDialog(dialog);
  if (target.closest("[data-dialog-close]") || target instanceof HTMLDialogElement) target.closest("dialog")?.close();
  openRow(event, target);
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && root.hasAttribute("data-sidebar-open")) openDrawer(false);
});

/* ---- Rows ---- */
/** A click anywhere in a row follows its main link, as the link itself would. @param {MouseEvent} event @param {Element} target */
function openRow(event, target) {
  if (event.defaultPrevented || target.closest("a, button, input, select, label, summary, copy-button, pop-over")) return;
  const link = target.closest("tr, li")?.querySelector("a[data-row-link]");
  if (!(link instanceof HTMLAnchorElement) || getSelection()?.toString()) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey) window.open(link.href, "_blank", "noopener");
  else link.click();
}
