/** What the console shows as text: times, durations, codes, and objects without their secrets. */

/**
 * The time of day, with the date unless it is today.
 * @param {number} seconds  since 1970
 */
export function formatTime(seconds) {
  const then = new Date(seconds * 1000);
  const time = then.toLocaleTimeString();
  return then.toDateString() === new Date().toDateString() ? time : `${then.toLocaleDateString()}, ${time}`;
}

/**
 * A length of time in its two largest units: "7 days", "1 hour 30 minutes".
 * @param {number} seconds
 */
export function formatDuration(seconds) {
  const units = /** @type {[string, number][]} */ ([["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]]);
  let left = Math.round(seconds);
  const parts = [];
  for (const [unit, size] of units) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) parts.push(`${count} ${unit}${count === 1 ? "" : "s"}`);
  }
  return parts.slice(0, 2).join(" ");
}

/**
 * A code of the API in words.
 * @param {string} code
 */
export function formatCode(code) {
  return code.replaceAll("_", " ");
}

/**
 * As JSON, for people.
 * @param {unknown} value
 */
export function formatJson(value) {
  return withoutSecrets(JSON.stringify(value, null, 2));
}

/**
 * The same text, of every secret only its kind: somebody may be looking over the shoulder, or at a screenshot.
 * @param {string} text
 */
export function withoutSecrets(text) {
  return text.replace(/(_secret_|\bwhsec_|\b[rs]k_(?:test|live)_)\w+/g, "$1…");
}
