/**
 * Which fields a form asks for, and what they are called where the customer lives.
 *
 * @typedef {object} Circumstances
 * @property {boolean} isPayment whether it is the form of the Payment Element
 * @property {string} country ISO code, chosen in the form
 * @property {string[]} hidden names of fields that the page does not want
 * @property {"full" | "split" | "organization"} nameDisplay
 * @property {import("../shared/form-texts.js").FormTexts} texts
 */
import { hasPostalCode } from "./form-formats.js";
import { regionsOf } from "./regions.js";

/** Countries whose addresses name a province that is not chosen from a list here. */
const WITH_PROVINCES = ["BR", "CN", "ES", "IN", "IT", "JP", "KR", "MX", "TH", "TW"];

/**
 * @param {string} name of the field
 * @param {boolean} isList whether it is one to choose from
 * @param {Circumstances} form
 */
export function isAskedFor(name, isList, { isPayment, country, hidden, nameDisplay }) {
  if (hidden.includes(name)) return false;
  if (name === "administrativeArea") {
    return isList ? regionsOf(country).length > 0 : WITH_PROVINCES.includes(country);
  }
  // Cards are checked against a postal code in the United States only.
  if (name === "postalCode") return isPayment ? country === "US" : hasPostalCode(country);
  if (name === "name") return nameDisplay !== "split";
  if (name === "firstName" || name === "lastName") return nameDisplay === "split";
  return true;
}

/** @param {string} name @param {Circumstances} form @returns {string} */
export function labelOf(name, { isPayment, country, nameDisplay, texts }) {
  const isUs = country === "US";
  /** @type {Record<string, string>} */
  const labels = {
    ...texts,
    country: isPayment ? texts.country : texts.region,
    postalCode: isUs ? texts.zip : texts.postal,
    addressLine1: texts.line1,
    addressLine2: texts.line2,
    locality: texts.city,
    administrativeArea: isUs ? texts.state : texts.province,
    name: nameDisplay === "organization" ? texts.organization : texts.name,
  };
  return labels[name];
}

/** @param {string} name of the field @param {string} error its own code @returns {string} as the page learns it */
export function publicCode(name, error) {
  if (error !== "incomplete") return error;
  return { phone: "incomplete_phone_number", name: "incomplete_name" }[name] ?? "incomplete_address";
}

/**
 * @param {string} locale
 * @param {string[]} codes ISO codes of countries
 * @returns {[string, string][]} codes and names in that language, in its order
 */
export function countriesIn(locale, codes) {
  const names = new Intl.DisplayNames([locale], { type: "region" });
  return codes
    .map((code) => /** @type {[string, string]} */ ([code, names.of(code) ?? code]))
    .sort(([, one], [, other]) => one.localeCompare(other, locale));
}
