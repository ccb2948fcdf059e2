/**
 * Postal codes by the country of the card, which test card numbers carry: 400000, then the country's ISO 3166 number.
 * Any other number is taken for a card of the United States, as most test cards are.
 *
 * @typedef {object} PostalRules
 * @property {"zip" | "postal"} word what it is called there
 * @property {"numeric" | "text"} keyboard
 * @property {(raw: string) => string} clean
 * @property {RegExp} complete
 */

/** @type {PostalRules} */
const UNITED_STATES = {
  word: "zip",
  keyboard: "numeric",
  clean: (raw) => raw.replace(/\D/g, "").slice(0, 5),
  complete: /^\d{5}$/,
};

/** @type {PostalRules} */
const CANADA = {
  word: "postal",
  keyboard: "text",
  clean: (raw) =>
    inCapitals(raw)
      .replace(/[^A-Z0-9 ]/g, "")
      .slice(0, 7),
  complete: /^[A-Z]\d[A-Z] ?\d[A-Z]\d$/,
};

/** @type {PostalRules} */
const UNITED_KINGDOM = {
  word: "postal",
  keyboard: "text",
  clean: (raw) =>
    inCapitals(raw)
      .replace(/[^A-Z0-9 ]/g, "")
      .slice(0, 8),
  complete: /^[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}$/,
};

/** @type {PostalRules} */
const ELSEWHERE = {
  word: "postal",
  keyboard: "text",
  clean: (raw) => inCapitals(raw).slice(0, 12),
  complete: /\S{3,}/,
};

/** While no number has been typed, the country is not known and anything may be written. @type {PostalRules} */
const NOT_KNOWN_YET = { ...ELSEWHERE, word: "zip", keyboard: "numeric" };

/** @type {Readonly<Record<string, PostalRules>>} */
const BY_COUNTRY = Object.freeze({ "000": UNITED_STATES, 840: UNITED_STATES, 124: CANADA, 826: UNITED_KINGDOM });

/**
 * @param {string} cardNumber digits
 * @returns {PostalRules}
 */
export function postalRulesOf(cardNumber) {
  if (cardNumber === "") return NOT_KNOWN_YET;
  const country = /^400000(\d{3})/.exec(cardNumber)?.[1];
  return country === undefined ? UNITED_STATES : (BY_COUNTRY[country] ?? ELSEWHERE);
}

/** @param {string} raw */
function inCapitals(raw) {
  return raw.normalize("NFKC").toUpperCase().trimStart();
}
