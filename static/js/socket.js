// One WebSocket a path, shared by the elements of a page. It carries small notices; what they are about is fetched.

/** @typedef {{type: string, [key: string]: unknown}} Notice */
/** @typedef {"connecting" | "open" | "waiting" | "refused"} SocketState */

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 20_000;
// The server's word that this person may not listen (any more): trying again would be refused for ever.
const NOT_ALLOWED = 4404;
// Notices come in bursts; when nothing of one was for this page, the server need not wait for the page.
const IDLE_CREDIT_MS = 50;

/** Connects, and connects again with growing, jittered pauses for as long as somebody listens. */
class NoticeSocket extends EventTarget {
  /** @param {string} path */
  constructor(path) {
    super();
    this.path = path;
    this.listeners = 0;
    this.failures = 0;
    /** @type {SocketState} */
    this.state = "connecting";
    /** @type {WebSocket | null} */
    this.socket = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.retry = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.idle = undefined;
    this.owes = false; // a listener works on a notice, and gives credit when it is done
  }

  connect() {
    const address = new URL(this.path, location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(address);
    this.socket = socket;
    socket.addEventListener("open", () => {
      const again = this.failures > 0;
      this.failures = 0;
      this.owes = false;
      this.setState("open");
      // Notices sent while the line was down are lost: everything that listens looks once.
      if (again) this.dispatchEvent(new CustomEvent("notice", { detail: { type: "reconnected" } }));
    });
    socket.addEventListener("message", (event) => this.receive(event.data));
    socket.addEventListener("close", (event) => {
      if (this.socket !== socket) return;
      if (event.code === NOT_ALLOWED) this.setState("refused");
      else this.wait();
    });
  }

  /** @param {unknown} data */
  receive(data) {
    let notice;
    try {
      notice = JSON.parse(String(data));
    } catch {
      return; // not one of ours
    }
    if (!notice || typeof notice.type !== "string") return;
    const isTaken = !this.dispatchEvent(new CustomEvent("notice", { detail: notice, cancelable: true }));
    if (isTaken) this.owes = true;
    clearTimeout(this.idle);
    if (!this.owes) this.idle = setTimeout(() => this.credit(), IDLE_CREDIT_MS);
  }

  wait() {
    this.setState("waiting");
    const pause = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.failures) * (0.5 + Math.random() / 2);
    this.failures += 1;
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.listeners > 0 && this.connect(), pause);
  }

  /** @param {SocketState} state */
  setState(state) {
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }

  /** Tells the server that the last notice was worked off. */
  credit() {
    this.owes = false;
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send('{"type":"credit"}');
  }

  close() {
    clearTimeout(this.retry);
    clearTimeout(this.idle);
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }
}

/** @type {Map<string, NoticeSocket>} */
const sockets = new Map();

/**
 * Listens to the notices of a path until `stop` is called. `onNotice` says whether it takes the notice, and so will give
 * credit once it is worked off; what nobody takes is credited at once, so that the server does not wait for it.
 * @param {string} path
 * @param {(notice: Notice) => boolean} onNotice
 * @param {(state: SocketState) => void} onState
 * @returns {{stop: () => void, credit: () => void}}
 */
export function listen(path, onNotice, onState) {
  const socket = sockets.get(path) ?? new NoticeSocket(path);
  const notice = (/** @type {Event} */ event) => {
    if (onNotice(/** @type {CustomEvent<Notice>} */ (event).detail)) event.preventDefault();
  };
  const state = () => onState(socket.state);
  socket.addEventListener("notice", notice);
  socket.addEventListener("state", state);
  socket.listeners += 1;
  if (!sockets.has(path)) {
    sockets.set(path, socket);
    socket.connect();
  }
  state();
  return {
    credit: () => socket.credit(),
    stop: () => {
      socket.removeEventListener("notice", notice);
      socket.removeEventListener("state", state);
      socket.listeners -= 1;
      if (socket.listeners > 0) {
        socket.credit(); // what this listener had taken is nobody's now
        return;
      }
      sockets.delete(path);
      socket.close();
    },
  };
}

/**
 * Runs `work` soon, at most once every `pause` ms, never twice at a time and never for a hidden page; calls in between are one call.
 * @param {() => Promise<void>} work
 * @param {number} pause
 */
export function coalesce(work, pause) {
  let wanted = false;
  let busy = false;
  let last = -Infinity;
  const run = async () => {
    if (busy || !wanted || document.hidden) return;
    busy = true;
    const rest = last + pause - performance.now();
    if (rest > 0) await new Promise((resolve) => setTimeout(resolve, rest));
    wanted = false;
    last = performance.now();
    try {
      await work();
    } catch (error) {
      console.warn("live update failed; the next notice tries again", error);
    } finally {
      busy = false;
    }
    void run();
  };
  document.addEventListener("visibilitychange", run);
  return {
    ask: () => {
      wanted = true;
      void run();
    },
    stop: () => {
      wanted = false;
      document.removeEventListener("visibilitychange", run);
    },
  };
}

/**
 * Fetches a page or a fragment of our own. A template takes bare table rows too. Throws on every status but 200.
 * @param {string} address
 * @param {Record<string, string>} [headers]
 * @returns {Promise<DocumentFragment>}
 */
export async function fetchFragment(address, headers = {}) {
  const answer = await fetch(address, { headers: { "HX-Request": "true", ...headers }, credentials: "same-origin" });
  if (!answer.ok) throw new Error(`${address} answered ${answer.status}`);
  const template = document.createElement("template");
  template.innerHTML = await answer.text();
  return template.content;
}

/** The markup of a fragment, to see whether it changed. @param {DocumentFragment} fragment */
export function serialise(fragment) {
  return [...fragment.childNodes].map((node) => (node instanceof Element ? node.outerHTML : (node.textContent ?? ""))).join("");
}
