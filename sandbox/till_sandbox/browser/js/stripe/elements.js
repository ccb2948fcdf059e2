import { callApi } from "./controller.js";
import { CardField } from "./element.js";
import { IntegrationError, show } from "./errors.js";
import { FormElement, checkAddressMode } from "./form-element.js";
import { checkFormOptions, isFormType } from "./form-options.js";
import { checkGroupOptions, readClientSecret, readDeferred, readFonts } from "./group-options.js";
import { checkOptions, checkType } from "./options.js";
import { kindOf, readSecret } from "./secrets.js";

/**
 * @typedef {import("./mounted-element.js").MountedElement} MountedElement
 * @typedef {import("./errors.js").StripeError} StripeError
 */

/** The order in which split fields follow each other. */
const SPLIT_ORDER = Object.freeze(/** @type {const} */ (["cardNumber", "cardExpiry", "cardCvc"]));

/** Elements that pay, and so must know what for. */
const PAYING = ["payment", "expressCheckout"];

/** Statuses of an intent that nothing can be done about any more. */
const TERMINAL = ["succeeded", "canceled", "requires_capture"];

/**
 * A group of Elements, as `stripe.elements()` makes it; to each of them it is a `Group` or a `FormGroup`.
 */
export class ElementsGroup {
  /** @type {Map<string, MountedElement>} by type, Address Elements by their mode as well */
  #elements = new Map();
  /** @type {(() => void)[]} */
  #updateListeners = [];
  /** @type {(() => void)[]} */
  #changeListeners = [];
  /** @type {Promise<{intent: Record<string, any> | null, error: StripeError | null}> | null} */
  #intent = null;
  #caller;

  /** Whether `submit()` has checked the forms since they were last changed. */
  submitted = false;

  /**
   * @param {unknown} options
   * @param {{key: string, locale: string}} caller the Stripe object; its locale is used unless the group has its own
   */
  constructor(options, caller) {
    const given = checkGroupOptions(options, "elements()");
    this.#caller = caller;
    this.locale = typeof given.locale === "string" ? given.locale : caller.locale;
    this.fonts = readFonts(given.fonts);
    /** @type {unknown} */
    this.appearance = given.appearance ?? {};
    this.clientSecret = readClientSecret(given);
    this.deferred = readDeferred(given);
    /** @type {boolean} whether the card is kept for later, by the intent that was fetched */
    this.intentSavesCard = false;
    /** Whether forms may be made without an intent or a mode: a Checkout Session stands behind them. */
    this.ofCheckout = false;
  }

  get brand() {
    const number = this.#elements.get("cardNumber");
    return number instanceof CardField ? number.brand : "unknown";
  }

  /** What the card form depends on beside its own options. */
  get cardForm() {
    const { mode, setupFutureUsage } = this.deferred ?? {};
    return {
      savesCard: this.intentSavesCard || mode === "setup" || mode === "subscription" || Boolean(setupFutureUsage),
      asksForAddress: this.address("billing") === null,
    };
  }

  /** @param {unknown} type @param {unknown} [options] */
  create(type, options) {
    const element = isFormType(type) ? this.#createForm(type, options) : this.#createCardField(type, options);
    const name = nameOf(element);
    if (this.#elements.has(name)) throw new IntegrationError(`Can only create one Element of type ${element.type}.`);
    this.#elements.set(name, element);
    this.payment?.refresh();
    return element;
  }

  /**
   * @param {any} type a name, or a component of @stripe/react-stripe-js, which carries its name with it
   * @param {{mode?: string}} [options] of an Address Element
   */
  getElement(type, options) {
    const name = type?.__elementType ?? type;
    if (name === "address") return this.address(options?.mode ?? "shipping") ?? this.address("billing");
    return this.#elements.get(isFormType(name) ? name : checkType(name)) ?? null;
  }

  /** @param {string} mode @returns {FormElement | null} */
  address(mode) {
    const element = this.#elements.get(`address ${mode}`);
    return element instanceof FormElement ? element : null;
  }

  /** @returns {FormElement | null} */
  get payment() {
    const element = this.#elements.get("payment");
    return element instanceof FormElement ? element : null;
  }

  /** @returns {string} an e-mail address that was typed into an Element; empty where there is none */
  get email() {
    const forms = ["linkAuthentication", "contactDetails"].map((name) => this.#elements.get(name));
    return forms.flatMap((form) => (form instanceof FormElement ? [form.values.email ?? ""] : [])).join("");
  }

  /** Forms that are mounted, in the order they were made in. @returns {FormElement[]} */
  get forms() {
    return [...this.#elements.values()].flatMap((element) =>
      element instanceof FormElement && element.frameName !== null && element.type !== "expressCheckout" ? [element] : [],
    );
  }

  /** @param {unknown} options */
  async update(options) {
    const given = checkGroupOptions(options, "elements.update()");
    if (given.clientSecret !== undefined && given.clientSecret !== this.clientSecret) {
      throw new IntegrationError("Invalid value for elements.update(): clientSecret cannot be changed.");
    }
    if (typeof given.locale === "string") this.locale = given.locale;
    if (given.appearance !== undefined) this.appearance = given.appearance;
    if (this.deferred) this.deferred = readDeferred({ ...this.deferred, ...given });
    for (const element of this.#elements.values()) {
      if (element instanceof FormElement) element.refresh();
      else if (element instanceof CardField && typeof given.locale === "string") {
        element.setContext({ locale: this.locale });
      }
    }
    for (const listener of this.#updateListeners) listener();
  }

  /** @param {string} name @param {() => void} listener */
  on(name, listener) {
    if (name !== "update-end")
      throw new IntegrationError(`Invalid event name: ${show(name)}. Valid events: update-end.`);
    this.#updateListeners.push(listener);
  }

  /** @param {unknown} fonts used by Elements that are mounted from now on */
  addFonts(fonts) {
    this.fonts = [...this.fonts, ...readFonts(fonts)];
  }

  /** @param {() => void} listener called when something was typed into a form */
  whenTyped(listener) {
    this.#changeListeners.push(listener);
  }

  /** Fetches the intent again, whose amount may be another now. @returns {Promise<{error?: {message: string}}>} */
  async fetchUpdates() {
    if (this.clientSecret === null) return {};
    this.#intent = null;
    const error = await this.loaded();
    if (error) return { error: { message: error.message ?? "" } };
    this.payment?.refresh();
    return {};
  }

  /**
   * Checks every form, and shows what is missing.
   *
   * @returns {Promise<{error: StripeError} | {selectedPaymentMethod: string}>}
   */
  async submit() {
    for (const form of this.forms) {
      const error = await form.validate();
      if (error) return { error };
    }
    this.submitted = true;
    return { selectedPaymentMethod: "card" };
  }

  /** @returns {Promise<StripeError | null>} why nothing can be paid here; null if it can be */
  async loaded() {
    this.#intent ??= this.#fetchIntent();
    const { intent, error } = await this.#intent;
    if (intent) {
      this.intentSavesCard = intent.object === "setup_intent" || Boolean(intent.setup_future_usage);
      this.payment?.refresh();
    }
    return error;
  }

  /** @param {CardField} element @param {import("./element.js").FieldState} state */
  changed(element, state) {
    const cvc = this.#elements.get("cardCvc");
    if (element.type === "cardNumber" && cvc instanceof CardField) cvc.setContext({ brand: state.brand });
  }

  /** Something was typed into a form. */
  formChanged() {
    this.submitted = false;
    for (const listener of this.#changeListeners) listener();
  }

  /** @param {CardField} element @param {1 | -1} step */
  moveFocus(element, step) {
    const order = /** @type {readonly string[]} */ (SPLIT_ORDER);
    const next = SPLIT_ORDER[order.indexOf(element.type) + step];
    const neighbour = next && this.#elements.get(next);
    if (neighbour?.frameName) neighbour.enter(step);
  }

  /** @param {MountedElement} element */
  destroyed(element) {
    this.#elements.delete(nameOf(element));
    this.payment?.refresh();
  }

  /** @param {import("./form-options.js").FormType} type @param {unknown} options */
  #createForm(type, options) {
    if (PAYING.includes(type) && this.clientSecret === null && !this.deferred && !this.ofCheckout) {
      const name = type === "payment" ? "a payment" : "an expressCheckout";
      throw new IntegrationError(
        `In order to create ${name} element, you must pass a clientSecret or mode when creating the Elements group.`,
      );
    }
    const checked = checkFormOptions(type, options, `elements.create('${type}')`);
    checkAddressMode(type, checked);
    return new FormElement(type, checked, this);
  }

  /** @param {unknown} type @param {unknown} options */
  #createCardField(type, options) {
    const known = checkType(type);
    return new CardField(known, checkOptions(known, options, `elements.create('${known}')`), this);
  }

  /** @returns {Promise<{intent: Record<string, any> | null, error: StripeError | null}>} */
  async #fetchIntent() {
    const kind = kindOf(this.clientSecret);
    if (!kind) return { intent: null, error: null };
    const { id, secret } = readSecret(this.clientSecret, kind, "elements");
    const { body, error } = await callApi({
      ...this.#caller,
      method: "GET",
      path: `${kind.path}/${id}`,
      parameters: { client_secret: secret },
    });
    if (error) return { intent: null, error };
    if (!TERMINAL.includes(body.status)) return { intent: body, error: null };
    const message =
      `The ${kind.name} has a status of ${body.status}: it is in a terminal state and cannot be used to ` +
      "initialize Elements.";
    return {
      intent: null,
      error: { type: "invalid_request_error", code: `${kind.embedded}_unexpected_state`, message, [kind.embedded]: body },
    };
  }
}

/** @param {MountedElement} element */
function nameOf(element) {
  return element instanceof FormElement && element.type === "address" ? `address ${element.mode}` : element.type;
}
