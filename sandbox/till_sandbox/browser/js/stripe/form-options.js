import { readAppearance } from "../shared/appearance.js";
import { IntegrationError, show, warn } from "./errors.js";

/**
 * What each Element takes that is a form in a frame, and what is made of it.
 *
 * Source of the options: `StripePaymentElementOptions` and its like in @stripe/stripe-js.
 *
 * @typedef {"address" | "contactDetails" | "currencySelector" | "expressCheckout" | "linkAuthentication" | "payment"} FormType
 * @typedef {Record<string, any>} FormElementOptions as given by the page
 * @typedef {Partial<import("../frames/form.js").FormOptions>} ForFrame
 */

/** @type {Readonly<Record<FormType, {page: string, title: string, options: string, height: number}>>} */
const FORMS = Object.freeze({
  address: {
    page: "address",
    title: "Secure address input frame",
    options: "mode allowedCountries autocomplete blockPoBox contacts defaultValues fields validation display",
    height: 460,
  },
  contactDetails: { page: "contact-details", title: "Secure email input frame", options: "", height: 80 },
  currencySelector: { page: "currency-selector", title: "Secure currency selector frame", options: "", height: 0 },
  expressCheckout: {
    page: "express-checkout",
    title: "Secure express checkout frame",
    options:
      "allowedShippingCountries applePay billingAddressRequired business buttonHeight buttonTheme buttonType " +
      "emailRequired layout lineItems paymentMethodOrder paymentMethods phoneNumberRequired shippingAddressRequired " +
      "shippingRates wallets",
    height: 0,
  },
  linkAuthentication: {
    page: "link-authentication",
    title: "Secure email input frame",
    options: "defaultValues",
    height: 80,
  },
  payment: {
    page: "payment",
    title: "Secure payment input frame",
    options: "defaultValues business paymentMethodOrder fields readOnly terms wallets walletOptions layout applePay",
    height: 230,
  },
});

/** Fields of the Payment Element, by the names that the option `fields.billingDetails.address` has for them. */
const BILLING_FIELDS = { country: "country", postalCode: "postalCode" };

/** Option names, by the details that a confirmation has them under. */
const DETAILS = { name: "name", email: "email", phone: "phone" };
const ADDRESS_DETAILS = {
  country: "country",
  postalCode: "postal_code",
  state: "state",
  city: "city",
  line1: "line1",
  line2: "line2",
};

/** Fields of an address, by the names that values of it have. */
const ADDRESS_FIELDS = {
  line1: "addressLine1",
  line2: "addressLine2",
  city: "locality",
  state: "administrativeArea",
  postal_code: "postalCode",
  country: "country",
};

/** @param {unknown} type @returns {type is FormType} */
export function isFormType(type) {
  return typeof type === "string" && Object.hasOwn(FORMS, type);
}

/** @param {FormType} type */
export function formOf(type) {
  return FORMS[type];
}

/**
 * Refuses options of the wrong type and warns about unknown ones, as Stripe.js does.
 *
 * @param {FormType} type
 * @param {unknown} options
 * @param {string} caller named in messages
 * @returns {FormElementOptions}
 */
export function checkFormOptions(type, options, caller) {
  if (options === undefined || options === null) return {};
  if (typeof options !== "object") {
    throw new IntegrationError(`Invalid value for ${caller}: value should be an object. You specified: ${show(options)}.`);
  }
  const known = FORMS[type].options.split(" ");
  for (const name of Object.keys(options).filter((given) => !known.includes(given))) {
    warn(
      `Unrecognized ${caller} parameter: ${name} is not a recognized parameter. ` +
        "This may cause issues with your integration in the future.",
    );
  }
  return { ...options };
}

/** @param {unknown} given @param {string} caller named in warnings */
export function warnAboutAppearance(given, caller) {
  for (const path of readAppearance(given).ignored) {
    warn(`Unrecognized ${caller} parameter: appearance.${path} is not supported and is ignored.`);
  }
}

/**
 * @param {FormType} type
 * @param {FormElementOptions} options checked
 * @param {{savesCard: boolean, asksForAddress: boolean}} group what the Element's group says about the card form
 * @returns {ForFrame}
 */
export function formOptionsFrom(type, options, group) {
  const values = startValues(options.defaultValues?.billingDetails ?? options.defaultValues ?? {});
  if (type === "payment") {
    const { card = "auto" } = options.terms ?? {};
    return {
      values,
      readOnly: options.readOnly === true,
      hidden: group.asksForAddress ? neverAsked(options.fields?.billingDetails) : Object.values(BILLING_FIELDS),
      terms: card === "always" || (card === "auto" && group.savesCard) ? (options.business?.name ?? "this merchant") : null,
      preferredNetwork: (options.defaultValues?.card?.network ?? []).map(String),
    };
  }
  if (type !== "address") return { values };
  const phone = options.fields?.phone === "always";
  return {
    values,
    hidden: [...(phone ? [] : ["phone"]), ...(options.fields?.name === "never" ? ["name"] : [])],
    optional: options.validation?.phone?.required === "always" ? [] : ["phone"],
    countries: Array.isArray(options.allowedCountries) ? options.allowedCountries.map(String) : null,
    nameDisplay: options.display?.name ?? "full",
    section: options.mode,
  };
}

/**
 * What a page that asks for less itself must say when it confirms.
 *
 * @param {FormElementOptions} options of a Payment Element
 * @returns {string[]} paths below `billing_details`
 */
export function detailsToBeGiven(options) {
  const asked = options.fields?.billingDetails;
  const never = (/** @type {any} */ value, /** @type {string} */ name) => value === "never" || value?.[name] === "never";
  return [
    ...Object.entries(DETAILS).flatMap(([name, path]) => (never(asked, name) ? [path] : [])),
    ...Object.entries(ADDRESS_DETAILS).flatMap(([name, path]) =>
      asked === "never" || never(asked?.address, name) ? [`address.${path}`] : [],
    ),
  ];
}

/** @param {any} asked `fields.billingDetails` @returns {string[]} fields of the card form that are left out */
function neverAsked(asked) {
  if (asked === "never" || asked?.address === "never") return Object.values(BILLING_FIELDS);
  return Object.entries(BILLING_FIELDS).flatMap(([name, field]) => (asked?.address?.[name] === "never" ? [field] : []));
}

/** @param {Record<string, any>} given as a page writes details @returns {Record<string, string>} by the names of fields */
function startValues({ name, firstName, lastName, email, phone, address = {} }) {
  const parts = Object.entries(ADDRESS_FIELDS).map(([part, field]) => [field, address?.[part]]);
  const all = [...parts, ...Object.entries({ name, firstName, lastName, email, phone })];
  return Object.fromEntries(all.filter(([, value]) => typeof value === "string" && value !== ""));
}

/**
 * @param {Record<string, string>} values of an address form, by the names of its fields
 * @returns {{name: string, firstName?: string, lastName?: string, phone?: string, address: Record<string, string | null>}}
 */
export function addressFrom(values) {
  const parts = Object.entries(ADDRESS_FIELDS).map(([part, field]) => [part, values[field] ?? ""]);
  const { firstName, lastName, phone } = values;
  return {
    name: values.name ?? [firstName, lastName].filter(Boolean).join(" "),
    ...(firstName !== undefined && { firstName, lastName }),
    address: { ...Object.fromEntries(parts), line2: values.addressLine2 || null },
    ...(phone !== undefined && { phone }),
  };
}
