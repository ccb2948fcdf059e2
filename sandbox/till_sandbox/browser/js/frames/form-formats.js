/**
 * The formats of what is no part of a card: names, addresses, e-mail.
 *
 * @typedef {import("./formats.js").InputFormat} InputFormat
 */
import { UNITED_STATES } from "./postal.js";

const MAIL = /^[^@\s]+@[^@\s]+\.[^@\s.]+$/;

/** Countries whose addresses have no postal code, or need none (Universal Postal Union). */
const WITHOUT_POSTAL_CODE = new Set(
  (
    "AE AG AN AO AW BF BI BJ BO BQ BS BW BZ CD CF CG CI CK CM CW DJ DM ER FJ GD GH GM GQ GY HK IE JM KI KM KN KP LC ML " +
    "MO MR MS MW NR NU PA QA RW SB SC SL SR ST SY TF TG TK TL TO TT TV TZ UG VU YE ZW"
  ).split(" "),
);

/** @type {InputFormat} */
export const REQUIRED = plain((value) => value.trim() !== "", "incomplete");

/** @type {InputFormat} */
export const OPTIONAL = plain(() => true, "incomplete");

/** @type {InputFormat} */
export const EMAIL = {
  ...plain((value) => MAIL.test(value.trim()), "incomplete_email"),
  findError: () => null,
};

/**
 * The postal code of an address: a ZIP code in the United States, and in other countries whatever is written there.
 *
 * @param {() => string} country ISO code
 * @returns {InputFormat}
 */
export function addressPostalFormat(country) {
  const isZip = () => country() === "US";
  return {
    ...plain((value) => (isZip() ? /^\d{5}$/.test(value) : value.trim() !== ""), "incomplete_zip"),
    clean: (raw) => (isZip() ? UNITED_STATES.clean(raw) : raw.slice(0, 12)),
  };
}

/** @param {string} country @returns {boolean} */
export function hasPostalCode(country) {
  return !WITHOUT_POSTAL_CODE.has(country);
}

/**
 * @param {(value: string) => boolean} isComplete
 * @param {string} incomplete
 * @returns {InputFormat}
 */
function plain(isComplete, incomplete) {
  return {
    clean: (raw) => raw,
    write: (value) => value,
    findError: () => null,
    isComplete,
    isFull: () => false,
    counts: /./,
    incomplete,
  };
}
