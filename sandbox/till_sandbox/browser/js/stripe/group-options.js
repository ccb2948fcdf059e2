import { IntegrationError, show, warn } from "./errors.js";
import { warnAboutAppearance } from "./form-options.js";
import { kindOf } from "./secrets.js";

/**
 * What `stripe.elements()` and `elements.update()` take.
 *
 * @typedef {object} Deferred what a group without an intent says about it
 * @property {"payment" | "setup" | "subscription"} mode
 * @property {number} [amount]
 * @property {string} [currency]
 * @property {string} [captureMethod]
 * @property {string} [setupFutureUsage]
 * @property {string} [paymentMethodCreation]
 */

/** Options of a group, whichever Elements they concern. */
const GROUP_OPTIONS = new Set(
  (
    "locale fonts clientSecret appearance loader customerSessionClientSecret customerOptions mode amount currency " +
    "captureMethod setupFutureUsage allowedPaymentMethodTypes excludedPaymentMethodTypes onBehalfOf " +
    "paymentMethodConfiguration paymentMethodCreation paymentMethodOptions externalPaymentMethodTypes"
  ).split(" "),
);

/** Those that only a group without an intent has. */
const DEFERRED_OPTIONS = ["amount", "currency", "captureMethod", "setupFutureUsage", "paymentMethodCreation"];

const MODES = ["payment", "setup", "subscription"];

/**
 * @param {unknown} options
 * @param {string} caller named in messages
 * @returns {Record<string, any>} by their names in camel case; snake case is taken as well
 */
export function checkGroupOptions(options, caller) {
  if (options === undefined || options === null) return {};
  if (typeof options !== "object") {
    throw new IntegrationError(
      `Invalid value for ${caller}: value should be an object. You specified: ${show(options)}.`,
    );
  }
  const given = Object.fromEntries(Object.entries(options).map(([name, value]) => [inCamelCase(name), value]));
  for (const name of Object.keys(given).filter((name) => !GROUP_OPTIONS.has(name))) {
    warn(
      `Unrecognized ${caller} parameter: ${name} is not a recognized parameter. ` +
        "This may cause issues with your integration in the future.",
    );
  }
  warnAboutAppearance(given.appearance, caller);
  return given;
}

/** @param {Record<string, any>} given checked @returns {string | null} */
export function readClientSecret(given) {
  const { clientSecret, mode } = given;
  if (clientSecret === undefined || clientSecret === null) return null;
  if (kindOf(clientSecret) === undefined) {
    throw new IntegrationError(
      "Invalid value for elements(): clientSecret should be a client secret of the form ${id}_secret_${secret}. " +
        `You specified: ${show(clientSecret)}.`,
    );
  }
  if (mode !== undefined) {
    throw new IntegrationError("Invalid value for elements(): pass a clientSecret or a mode, not both.");
  }
  return clientSecret;
}

/** @param {Record<string, any>} given checked @returns {Deferred | null} null for a group with an intent, or none in mind */
export function readDeferred(given) {
  const { mode, amount, currency } = given;
  if (mode === undefined || mode === null) return null;
  if (!MODES.includes(mode)) {
    throw wrong(`mode should be one of the following strings: ${MODES.join(", ")}`, mode);
  }
  if (typeof currency !== "string" || !/^[a-z]{3}$/.test(currency)) {
    throw wrong("currency should be a three-letter currency code in lower case", currency);
  }
  if (mode !== "setup" && !(Number.isInteger(amount) && (amount > 0 || (mode === "subscription" && amount === 0)))) {
    throw wrong("amount should be a whole number greater than 0", amount);
  }
  const known = DEFERRED_OPTIONS.filter((name) => given[name] !== undefined && given[name] !== null);
  return { mode, ...Object.fromEntries(known.map((name) => [name, given[name]])) };
}

/**
 * Fonts that come as data can be used; the sandbox's frames load nothing from elsewhere.
 *
 * @param {unknown} fonts
 */
export function readFonts(fonts) {
  /** @type {import("./element.js").Group["fonts"]} */
  const usable = [];
  for (const font of Array.isArray(fonts) ? fonts : []) {
    const { family, src: source, display, stretch, style, weight } = font ?? {};
    if (typeof family !== "string" || !/^\s*url\(\s*["']?data:/.test(String(source))) {
      warn("The sandbox uses only custom fonts given as data: URLs, so that a card field needs no network.");
      continue;
    }
    const descriptors = Object.entries({ display, stretch, style, weight }).filter(
      ([, value]) => typeof value === "string",
    );
    usable.push({ family, source, descriptors: Object.fromEntries(descriptors) });
  }
  return usable;
}

/** @param {string} what @param {unknown} specified */
function wrong(what, specified) {
  return new IntegrationError(`Invalid value for elements(): ${what}. You specified: ${show(specified)}.`);
}

/** @param {string} name */
function inCamelCase(name) {
  return name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
}
