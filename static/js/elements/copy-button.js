// <copy-button value="…"> or <copy-button target="id of an element">: around a button; copies and says so.
import { iconAddress } from "../dom.js";
import { toast } from "../toasts.js";

/** The clipboard API exists only on secure origins; a plain selection serves the rest. @param {string} text */
export async function copyText(text) {
  if (navigator.clipboard && window.isSecureContext) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  const host = document.querySelector("dialog:modal") ?? document.body;
  host.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("the browser refused to copy");
}

class CopyButton extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", this.copy);
  }

  disconnectedCallback() {
    this.removeEventListener("click", this.copy);
  }

  get text() {
    const target = this.getAttribute("target");
    return target ? (document.getElementById(target)?.textContent ?? "") : (this.getAttribute("value") ?? "");
  }

  copy = async () => {
    const use = this.querySelector("use");
    try {
      await copyText(this.text);
    } catch {
      toast("The browser did not allow copying. Select the text and copy it by hand.", "warn");
      return;
    }
    this.dataset.copied = "";
    use?.setAttribute("href", iconAddress("check"));
    this.setAttribute("role", "status");
    setTimeout(() => {
      delete this.dataset.copied;
      use?.setAttribute("href", iconAddress("copy"));
      this.removeAttribute("role");
    }, 1500);
  };
}

customElements.define("copy-button", CopyButton);
