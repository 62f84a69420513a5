// Figures as the product writes them: narrow space before the unit, minus sign, words for what is missing.

const THIN = "\u202f";

/** @param {number | null | undefined} ms milliseconds @returns {string} */
export function duration(ms) {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return "";
  if (ms < 0) return `−${duration(-ms)}`;
  if (ms < 1) return `${ms === 0 ? "0" : ms.toFixed(2)}${THIN}ms`;
  if (ms < 100) return `${ms.toFixed(ms < 10 ? 1 : 0)}${THIN}ms`;
  if (ms < 995) return `${(ms / 1000).toFixed(2)}${THIN}s`;
  if (ms < 99_950) return `${(ms / 1000).toFixed(1)}${THIN}s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)}${THIN}min ${seconds % 60}${THIN}s`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}${THIN}h ${Math.floor((seconds % 3600) / 60)}${THIN}min`;
  return `${Math.round(seconds / 86_400)}${THIN}days`;
}

/** @param {number | string | null | undefined} usd */
export function cost(usd) {
  if (usd === null || usd === undefined || usd === "") return "";
  const amount = Number(usd);
  if (!Number.isFinite(amount)) return "";
  return `$${amount.toFixed(Math.abs(amount) >= 1 ? 2 : 4)}`;
}

/** @param {number | null | undefined} count */
export function tokens(count) {
  if (count === null || count === undefined) return "";
  if (count < 10_000) return count.toLocaleString("en-US");
  if (count < 1_000_000) return `${(count / 1000).toFixed(1)}${THIN}k`;
  return `${(count / 1_000_000).toFixed(1)}${THIN}M`;
}

/** Steps for a time axis of about five parts: 1, 2 or 5 times a power of ten. @param {number} total ms */
export function axisStep(total) {
  const rough = Math.max(total, 1e-6) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = rough / power;
  return power * (factor <= 1 ? 1 : factor <= 2 ? 2 : factor <= 5 ? 5 : 10);
}
