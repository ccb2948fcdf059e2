/**
 * Postal codes by the country of the card, which its first digits tell.
 *
 * The Card Element asks for one where banks check it: for cards of the United States, Canada and the United Kingdom,
 * and for no others. Sources: https://docs.stripe.com/js/element/postal_code_formatting and Stripe's answers in
 * https://github.com/stripe-archive/react-stripe-elements/issues/20
 *
 * @typedef {object} PostalFormat
 * @property {"zip" | "postal"} word what it is called there
 * @property {"numeric" | "text"} keyboard
 * @property {(raw: string) => string} clean
 * @property {RegExp} complete
 */

/** Digits of a number that tell the country of most cards: the issuer's identification number. */
const ISSUER_DIGITS = 6;

/** @type {PostalFormat} */
export const UNITED_STATES = {
  word: "zip",
  keyboard: "numeric",
  clean: (raw) => raw.normalize("NFKC").replace(/\D/g, "").slice(0, 5),
  complete: /^\d{5}$/,
};

/** @type {PostalFormat} */
const CANADA = {
  word: "postal",
  keyboard: "text",
  clean: (raw) => lettersAndDigits(raw).slice(0, 7),
  complete: /^[A-Z]\d[A-Z] ?\d[A-Z]\d$/,
};

/** @type {PostalFormat} */
const UNITED_KINGDOM = {
  word: "postal",
  keyboard: "text",
  clean: (raw) => lettersAndDigits(raw).slice(0, 8),
  complete: /^(GIR ?0AA|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2})$/,
};

/** @type {Readonly<Record<string, PostalFormat>>} */
const ASKED_IN = Object.freeze({ US: UNITED_STATES, CA: CANADA, GB: UNITED_KINGDOM });

/**
 * @param {string} number digits, perhaps not all yet
 * @param {Readonly<Record<string, string>>} countries ISO codes by first digits of a number; any other number is taken
 *   for a card of the United States, as most test cards are
 * @returns {PostalFormat | null | undefined} null where no postal code is asked for; undefined while the country is not
 *   known
 */
export function postalFormatOf(number, countries) {
  const known = Object.keys(countries).find((prefix) => number.startsWith(prefix));
  if (known) return ASKED_IN[countries[known]] ?? null;
  const mayFollow = Object.keys(countries).some((prefix) => prefix.startsWith(number));
  return number.length < ISSUER_DIGITS || mayFollow ? undefined : UNITED_STATES;
}

/** @param {string} raw */
function lettersAndDigits(raw) {
  return raw
    .normalize("NFKC")
    .toUpperCase()
    .trimStart()
    .replace(/[^A-Z0-9 ]/g, "");
}
