// <local-time datetime="2026-11-22T20:13:51.204Z" format="time|datetime|row|date|relative">: the reader's zone and language; the
// exact moment is in the title. Relative times turn into dates after a
// day; in rows, today's are without the date.

const FORMATS = {
  time: new Intl.DateTimeFormat(undefined, { hourCycle: "h23", hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 }),
  clock: new Intl.DateTimeFormat(undefined, { hourCycle: "h23", hour: "2-digit", minute: "2-digit", second: "2-digit" }),
  datetime: new Intl.DateTimeFormat(undefined, { hourCycle: "h23", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" }),
  year: new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric", hourCycle: "h23", hour: "2-digit", minute: "2-digit" }),
  date: new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" }),
  exact: new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" }),
};
const RELATIVE = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "short" });
/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const UNITS = [["hour", 3600], ["minute", 60], ["second", 1]];
const DAY_S = 86_400;

/** @param {Date} moment @param {string} format */
function written(moment, format) {
  const ago = (Date.now() - moment.getTime()) / 1000;
  if (format === "relative" && Math.abs(ago) < DAY_S) {
    if (Math.abs(ago) < 5) return "now";
    const [unit, seconds] = UNITS.find(([, size]) => Math.abs(ago) >= size) ?? UNITS[2];
    return RELATIVE.format(-Math.round(ago / seconds), unit);
  }
  if (format === "row" && moment.toDateString() === new Date().toDateString()) return FORMATS.clock.format(moment);
  if (format === "time" || format === "date") return FORMATS[format].format(moment);
  return (Math.abs(ago) > 300 * DAY_S ? FORMATS.year : FORMATS.datetime).format(moment);
}

class LocalTime extends HTMLElement {
  static observedAttributes = ["datetime", "format"];

  connectedCallback() {
    this.draw();
    if (this.getAttribute("format") === "relative") alive.add(this);
  }

  disconnectedCallback() {
    alive.delete(this);
  }

  attributeChangedCallback() {
    if (this.isConnected) this.draw();
  }

  draw() {
    const stamp = this.getAttribute("datetime") ?? "";
    const moment = new Date(stamp);
    if (Number.isNaN(moment.getTime())) return;
    const time = this.querySelector("time") ?? document.createElement("time");
    time.dateTime = stamp;
    time.textContent = written(moment, this.getAttribute("format") ?? "datetime");
    time.title = `${FORMATS.exact.format(moment)}\n${moment.toISOString()}`;
    if (time.parentNode !== this) this.replaceChildren(time);
  }
}

/** @type {Set<LocalTime>} */
const alive = new Set();
setInterval(() => document.hidden || alive.forEach((time) => time.draw()), 15_000);

customElements.define("local-time", LocalTime);
