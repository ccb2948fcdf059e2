/**
 * Card brands by the first digits of a number.
 *
 * Source of the ranges: ISO/IEC 7812 issuer ranges as the schemes publish them.
 *
 * @typedef {"visa" | "mastercard" | "amex" | "discover" | "diners" | "jcb" | "unionpay" | "unknown"} BrandName
 * @typedef {object} Brand
 * @property {BrandName} name
 * @property {RegExp} starts
 * @property {number[]} lengths of a whole number, ascending
 * @property {number[]} groups in which the digits are written
 * @property {number[]} cvc lengths of the security code
 */

const FOURS = [4, 4, 4, 4, 3];

/** @type {readonly Brand[]} */
const BRANDS = Object.freeze([
  { name: "visa", starts: /^4/, lengths: [16], groups: FOURS, cvc: [3] },
  {
    name: "mastercard",
    starts: /^(5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/,
    lengths: [16],
    groups: FOURS,
    cvc: [3],
  },
  { name: "amex", starts: /^3[47]/, lengths: [15], groups: [4, 6, 5], cvc: [4] },
  { name: "diners", starts: /^36/, lengths: [14], groups: [4, 6, 4], cvc: [3] },
  { name: "diners", starts: /^3(0|[89])/, lengths: [14, 16], groups: FOURS, cvc: [3] },
  { name: "jcb", starts: /^35/, lengths: [16], groups: FOURS, cvc: [3] },
  { name: "discover", starts: /^(6011|64[4-9]|65)/, lengths: [16], groups: FOURS, cvc: [3] },
  { name: "unionpay", starts: /^(62|81)/, lengths: [16, 17, 18, 19], groups: FOURS, cvc: [3] },
]);

/** @type {Brand} */
export const UNKNOWN_BRAND = Object.freeze({
  name: "unknown",
  starts: /^/,
  lengths: [16],
  groups: FOURS,
  cvc: [3, 4],
});

/**
 * @param {string} digits of a number, perhaps not all yet
 * @returns {Brand}
 */
export function brandOf(digits) {
  return BRANDS.find((brand) => brand.starts.test(digits)) ?? UNKNOWN_BRAND;
}

/**
 * @param {string} name
 * @returns {Brand}
 */
export function brandNamed(name) {
  return BRANDS.find((brand) => brand.name === name) ?? UNKNOWN_BRAND;
}

/**
 * @param {string} digits
 * @returns {boolean} whether the last digit is the check digit of the others (ISO/IEC 7812-1, the Luhn formula)
 */
export function passesLuhn(digits) {
  let sum = 0;
  for (let place = 0; place < digits.length; place += 1) {
    const digit = Number(digits[digits.length - 1 - place]) * (place % 2 === 0 ? 1 : 2);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return digits.length > 0 && sum % 10 === 0;
}
