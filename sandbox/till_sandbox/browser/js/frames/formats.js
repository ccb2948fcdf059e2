/**
 * The formats of a card's inputs: how each is written while it is typed, and what is wrong with it.
 * Pure of the document, so a format is only ever a function of the characters typed.
 *
 * @typedef {object} InputFormat
 * @property {(raw: string, typing: Typing) => string} clean keeps the characters that count, out of those
 *   that stand in the input
 * @property {(value: string, typing: Typing) => string} write the value as the input shows it
 * @property {(value: string) => string | null} findError code of an error in a value that has its full length;
 *   such an error shows at once
 * @property {(value: string) => boolean} isComplete well-formed, and may be all there is
 * @property {(value: string) => boolean} isFull complete, and nothing more can be typed: time to go on to
 *   the next input
 * @property {RegExp} counts which characters are part of the value, rather than written between them
 * @property {string} incomplete code of the error of a value left before it was complete
 *
 * @typedef {{deleting: boolean}} Typing what the shopper is doing
 */
import { brandOf, passesLuhn } from "./brands.js";

const DIGIT = /\d/;

/** @type {InputFormat} */
export const NUMBER = {
  clean(raw) {
    const digits = digitsOf(raw);
    return digits.slice(0, longest(brandOf(digits).lengths));
  },
  write(digits) {
    const groups = [];
    let rest = digits;
    for (const size of brandOf(digits).groups) {
      if (rest) groups.push(rest.slice(0, size));
      rest = rest.slice(size);
    }
    return groups.join(" ");
  },
  findError(digits) {
    return digits.length === longest(brandOf(digits).lengths) && !passesLuhn(digits) ? "invalid_number" : null;
  },
  isComplete: (digits) => brandOf(digits).lengths.includes(digits.length) && passesLuhn(digits),
  isFull: (digits) => digits.length === longest(brandOf(digits).lengths) && passesLuhn(digits),
  counts: DIGIT,
  incomplete: "incomplete_number",
};

/**
 * @param {() => Date} now
 * @returns {InputFormat} its value is MM, then YY
 */
export function expiryFormat(now) {
  /** @param {string} value */
  const findError = (value) => (value.length === 4 ? expiryError(value, now()) : null);
  return {
    clean: cleanExpiry,
    write(value, { deleting }) {
      if (value.length < 2 || (value.length === 2 && deleting)) return value;
      return `${value.slice(0, 2)} / ${value.slice(2)}`;
    },
    findError,
    isComplete: (value) => value.length === 4 && !findError(value),
    isFull: (value) => value.length === 4 && !findError(value),
    counts: DIGIT,
    incomplete: "incomplete_expiry",
  };
}

/**
 * @param {() => import("./brands.js").Brand} brand of the card whose security code it is
 * @returns {InputFormat}
 */
export function cvcFormat(brand) {
  return {
    clean: (raw) => digitsOf(raw).slice(0, longest(brand().cvc)),
    write: (digits) => digits,
    findError: () => null,
    isComplete: (digits) => brand().cvc.includes(digits.length),
    isFull: (digits) => digits.length === longest(brand().cvc),
    counts: DIGIT,
    incomplete: "incomplete_cvc",
  };
}

/**
 * @param {() => import("./postal.js").PostalFormat} country of the card
 * @returns {InputFormat}
 */
export function postalCodeFormat(country) {
  return {
    clean: (raw) => country().clean(raw),
    write: (value) => value,
    findError: () => null,
    isComplete: (value) => country().complete.test(value),
    isFull: () => false,
    counts: /./,
    incomplete: "incomplete_zip",
  };
}

/**
 * Reads a date typed by hand ("5" is May), pasted or filled in by the browser ("5/27", "05/2027", "052027").
 *
 * @param {string} raw
 * @param {Typing} typing
 * @returns {string}
 */
function cleanExpiry(raw, { deleting }) {
  const digits = digitsOf(raw);
  if (deleting && digits.length <= 2) return digits;
  const [, month, year = ""] = /^\D*(\d{1,2})\D+(\d{4}|\d{0,2})/.exec(raw) ?? [];
  if (month && !deleting) return month.padStart(2, "0") + year.slice(-2);
  if (/^(0\d|1[0-2])20\d\d$/.test(digits)) return digits.slice(0, 2) + digits.slice(4);
  const startsWithMonth = /^(0[1-9]?|1[0-2]?)?$/.test(digits.slice(0, 2));
  return (startsWithMonth ? digits : `0${digits}`).replace(/^00+/, "0").slice(0, 4);
}

/**
 * @param {string} value MMYY
 * @param {Date} now
 * @returns {string | null}
 */
function expiryError(value, now) {
  const [month, year] = [Number(value.slice(0, 2)), fullYear(value.slice(2), now)];
  if (month < 1 || month > 12) return "invalid_expiry_month";
  if (year < now.getFullYear()) return "invalid_expiry_year_past";
  if (year === now.getFullYear() && month < now.getMonth() + 1) return "invalid_expiry_month_past";
  return year > now.getFullYear() + 50 ? "invalid_expiry_year" : null;
}

/**
 * @param {string} year its last two digits
 * @param {Date} now
 */
export function fullYear(year, now) {
  return Math.floor(now.getFullYear() / 100) * 100 + Number(year);
}

/** @param {string} raw */
function digitsOf(raw) {
  // Digits of other scripts, as some keyboards type them, are digits as well.
  return raw.normalize("NFKC").replace(/\D/g, "");
}

/** @param {readonly number[]} lengths ascending */
function longest(lengths) {
  return lengths[lengths.length - 1];
}
