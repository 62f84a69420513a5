// Figures as the product writes them, the same as traces/templatetags/figures.py: a tree and its panel say one number.

const THIN = "\u202f";

/** @param {number | null | undefined} ms milliseconds @returns {string} */
export function duration(ms) {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return "";
  if (ms < 0) return `−${duration(-ms)}`;
  if (ms < 1) return `${Math.floor(ms * 1000 + 1e-6)}${THIN}µs`;
  if (ms < 999.5) return `${Math.round(ms)}${THIN}ms`;
  if (ms < 99_950) return `${(ms / 1000).toFixed(1)}${THIN}s`;
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}${THIN}m ${seconds % 60}${THIN}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours}${THIN}h ${minutes % 60}${THIN}m`;
  return `${Math.floor(hours / 24)}${THIN}d ${hours % 24}${THIN}h`;
}

/** @param {number | string | null | undefined} usd */
export function cost(usd) {
  if (usd === null || usd === undefined || usd === "") return "";
  const amount = Number(usd);
  if (!Number.isFinite(amount)) return "";
  if (amount === 0) return "$0";
  if (amount < 0) return `-${cost(-amount)}`;
  if (amount < 0.0001) return "<$0.0001";
  if (amount < 0.1) return `$${amount.toFixed(4)}`;
  if (amount < 100) return `$${amount.toFixed(2)}`;
  return `$${Math.round(amount).toLocaleString("en-US")}`;
}

/** @param {number | null | undefined} count */
export function tokens(count) {
  if (count === null || count === undefined) return "";
  if (count < 10_000) return count.toLocaleString("en-US");
  if (count < 1_000_000) return `${(count / 1000).toFixed(1)}${THIN}k`;
  return `${(count / 1_000_000).toFixed(1)}${THIN}M`;
}

/** The name of a place on a time axis, exact where a duration would be rounded. @param {number} ms */
export function tick(ms) {
  if (ms === 0) return "0";
  if (ms >= 999.5) return duration(ms).replace(/\.0(?=\D)/, "");
  const [amount, unit] = ms < 0.001 ? [ms * 1e6, "ns"] : ms < 1 ? [ms * 1000, "µs"] : [ms, "ms"];
  return `${Number(amount.toPrecision(4))}${THIN}${unit}`;
}

/** Steps for a time axis of about five parts: 1, 2 or 5 times a power of ten. @param {number} total ms */
export function axisStep(total) {
  const rough = Math.max(total, 1e-6) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = rough / power;
  return power * (factor <= 1 ? 1 : factor <= 2 ? 2 : factor <= 5 ? 5 : 10);
}
