import { readStyle } from "../shared/style.js";
import { IntegrationError, show, warn } from "./errors.js";
import { refuseElementNotImitated } from "./not-imitated.js";

/**
 * What each kind of Element takes, and what is made of it.
 *
 * Source of the options: `StripeCard…ElementOptions` in @stripe/stripe-js.
 *
 * @typedef {"card" | "cardNumber" | "cardExpiry" | "cardCvc"} ElementType
 * @typedef {Record<string, any>} ElementOptions as given by the page
 *
 * @typedef {object} Classes the class names put on the container, one per state
 * @property {string} base
 * @property {string} complete
 * @property {string} empty
 * @property {string} focus
 * @property {string} invalid
 * @property {string} webkitAutofill
 *
 * @typedef {object} FieldOptions what the frame gets
 * @property {import("../shared/style.js").StyleRule[]} style
 * @property {boolean} disabled
 * @property {boolean} showIcon
 * @property {"default" | "solid"} iconStyle
 * @property {boolean} hidePostalCode
 * @property {string | null} postalCode to start with
 * @property {string | null} placeholder
 * @property {string[]} preferredNetwork of a card with several, the first one that it has
 */

/** @type {Readonly<Classes>} */
const DEFAULT_CLASSES = Object.freeze({
  base: "StripeElement",
  complete: "StripeElement--complete",
  empty: "StripeElement--empty",
  focus: "StripeElement--focus",
  invalid: "StripeElement--invalid",
  webkitAutofill: "StripeElement--webkit-autofill",
});

/** Option names with the type of their value. */
const EVERY_ELEMENT = { classes: "object", style: "object", disabled: "boolean" };

/** @type {Readonly<Record<ElementType, Record<string, string>>>} */
const OPTIONS = Object.freeze({
  card: {
    ...EVERY_ELEMENT,
    value: "object",
    hidePostalCode: "boolean",
    iconStyle: "string",
    hideIcon: "boolean",
    disableLink: "boolean",
    preferredNetwork: "object",
  },
  cardNumber: {
    ...EVERY_ELEMENT,
    placeholder: "string",
    showIcon: "boolean",
    iconStyle: "string",
    disableLink: "boolean",
    preferredNetwork: "object",
  },
  cardExpiry: { ...EVERY_ELEMENT, placeholder: "string" },
  cardCvc: { ...EVERY_ELEMENT, placeholder: "string" },
});

/** The titles Stripe gives its frames; screen readers say them, and tests find frames by them. */
const TITLES = Object.freeze({
  card: "Secure card payment input frame",
  cardNumber: "Secure card number input frame",
  cardExpiry: "Secure expiration date input frame",
  cardCvc: "Secure CVC input frame",
});

/** @param {ElementType} type */
export function titleOf(type) {
  return TITLES[type];
}

/**
 * @param {unknown} type
 * @returns {ElementType}
 */
export function checkType(type) {
  if (typeof type === "string" && Object.hasOwn(OPTIONS, type)) return /** @type {ElementType} */ (type);
  refuseElementNotImitated(type);
  const names = Object.keys(OPTIONS).join(", ");
  throw new IntegrationError(
    `A valid Element name must be provided. Valid Elements are:\n${names}; you passed: ${show(type)}.`,
  );
}

/**
 * Refuses options of the wrong type and warns about unknown ones, as Stripe.js does.
 *
 * @param {ElementType} type
 * @param {unknown} options
 * @param {string} caller named in messages, such as "elements.create('card')"
 * @returns {ElementOptions}
 */
export function checkOptions(type, options, caller) {
  if (options === undefined || options === null) return {};
  if (typeof options !== "object") {
    throw new IntegrationError(
      `Invalid value for ${caller}: value should be an object. You specified: ${show(options)}.`,
    );
  }
  const known = OPTIONS[type];
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(known, name)) {
      warn(
        `Unrecognized ${caller} parameter: ${name} is not a recognized parameter. ` +
          "This may cause issues with your integration in the future.",
      );
    } else if (value !== undefined && value !== null && typeof value !== known[name]) {
      throw new IntegrationError(
        `Invalid value for ${caller}: ${name} should be of type ${known[name]}. You specified: ${show(value)}.`,
      );
    }
  }
  for (const path of readStyle(/** @type {ElementOptions} */ (options).style).ignored) {
    warn(`Unrecognized ${caller} style: ${path} is not a supported property and is ignored.`);
  }
  return { ...options };
}

/**
 * @param {ElementOptions} options checked
 * @returns {Classes}
 */
export function classesFrom(options) {
  const given = Object.entries(options.classes ?? {}).filter(([, name]) => typeof name === "string");
  return { ...DEFAULT_CLASSES, ...Object.fromEntries(given) };
}

/**
 * @param {ElementType} type
 * @param {ElementOptions} options checked
 * @returns {FieldOptions}
 */
export function fieldOptionsFrom(type, options) {
  return {
    style: readStyle(options.style).rules,
    disabled: options.disabled === true,
    showIcon: type === "card" ? options.hideIcon !== true : options.showIcon === true,
    iconStyle: options.iconStyle === "solid" ? "solid" : "default",
    hidePostalCode: type !== "card" || options.hidePostalCode === true,
    postalCode: typeof options.value?.postalCode === "string" ? options.value.postalCode : null,
    placeholder: typeof options.placeholder === "string" ? options.placeholder : null,
    preferredNetwork: Array.isArray(options.preferredNetwork) ? options.preferredNetwork.map(String) : [],
  };
}
