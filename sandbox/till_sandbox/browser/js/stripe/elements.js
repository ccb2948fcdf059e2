import { CardField } from "./element.js";
import { IntegrationError, show, warn } from "./errors.js";
import { checkOptions, checkType } from "./options.js";

/** The order in which split fields follow each other. */
const SPLIT_ORDER = Object.freeze(/** @type {const} */ (["cardNumber", "cardExpiry", "cardCvc"]));

/** Options of `stripe.elements()` that concern card Elements, and those that only concern others. */
const GROUP_OPTIONS = new Set(
  (
    "locale fonts clientSecret appearance loader customerSessionClientSecret customerOptions mode amount currency " +
    "captureMethod setupFutureUsage allowedPaymentMethodTypes excludedPaymentMethodTypes onBehalfOf " +
    "paymentMethodConfiguration paymentMethodCreation paymentMethodOptions externalPaymentMethodTypes"
  ).split(" "),
);

/**
 * A group of Elements, as `stripe.elements()` makes it; to each of them it is a `Group`.
 */
export class ElementsGroup {
  /** @type {Map<import("./options.js").ElementType, CardField>} */
  #elements = new Map();
  /** @type {(() => void)[]} */
  #updateListeners = [];

  /**
   * @param {unknown} options
   * @param {string} locale the Stripe object's, used unless the group has its own
   */
  constructor(options, locale) {
    const given = checkGroupOptions(options);
    this.locale = typeof given.locale === "string" ? given.locale : locale;
    this.fonts = readFonts(given.fonts);
  }

  get brand() {
    return this.#elements.get("cardNumber")?.brand ?? "unknown";
  }

  /** @param {unknown} type @param {unknown} [options] */
  create(type, options) {
    const known = checkType(type);
    const checked = checkOptions(known, options, `elements.create('${known}')`);
    if (this.#elements.has(known)) throw new IntegrationError(`Can only create one Element of type ${known}.`);
    const element = new CardField(known, checked, this);
    this.#elements.set(known, element);
    return element;
  }

  /** @param {any} type a name, or a component of @stripe/react-stripe-js, which carries its name with it */
  getElement(type) {
    return this.#elements.get(checkType(type?.__elementType ?? type)) ?? null;
  }

  /** @param {unknown} options */
  async update(options) {
    const given = checkGroupOptions(options);
    if (typeof given.locale === "string") {
      this.locale = given.locale;
      for (const element of this.#elements.values()) element.setContext({ locale: this.locale });
    }
    for (const listener of this.#updateListeners) listener();
  }

  /** @param {string} name @param {() => void} listener */
  on(name, listener) {
    if (name !== "update-end")
      throw new IntegrationError(`Invalid event name: ${show(name)}. Valid events: update-end.`);
    this.#updateListeners.push(listener);
  }

  /** Card Elements take nothing from the PaymentIntent, so there is never anything to fetch. */
  async fetchUpdates() {
    return {};
  }

  /** @returns {Promise<{selectedPaymentMethod: string}>} */
  async submit() {
    return { selectedPaymentMethod: "card" };
  }

  /** @param {CardField} element @param {import("./element.js").FieldState} state */
  changed(element, state) {
    if (element.type === "cardNumber") this.#elements.get("cardCvc")?.setContext({ brand: state.brand });
  }

  /** @param {CardField} element @param {1 | -1} step */
  moveFocus(element, step) {
    const order = /** @type {readonly string[]} */ (SPLIT_ORDER);
    const next = SPLIT_ORDER[order.indexOf(element.type) + step];
    const neighbour = next && this.#elements.get(next);
    if (neighbour?.frameName) neighbour.enter(step);
  }

  /** @param {CardField} element */
  destroyed(element) {
    this.#elements.delete(element.type);
  }
}

/**
 * @param {unknown} options
 * @returns {Record<string, any>}
 */
function checkGroupOptions(options) {
  if (options === undefined || options === null) return {};
  if (typeof options !== "object") {
    throw new IntegrationError(
      `Invalid value for elements(): value should be an object. You specified: ${show(options)}.`,
    );
  }
  for (const name of Object.keys(options).filter((name) => !GROUP_OPTIONS.has(name))) {
    warn(
      `Unrecognized elements() parameter: ${name} is not a recognized parameter. ` +
        "This may cause issues with your integration in the future.",
    );
  }
  return options;
}

/**
 * Fonts that come as data can be used; the sandbox's frames load nothing from elsewhere.
 *
 * @param {unknown} fonts
 */
function readFonts(fonts) {
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
