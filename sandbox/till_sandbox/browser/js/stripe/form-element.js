import { IntegrationError, show } from "./errors.js";
import {
  addressFrom,
  checkFormOptions,
  detailsToBeGiven,
  formOf,
  formOptionsFrom,
} from "./form-options.js";
import { MountedElement } from "./mounted-element.js";
import { classesFrom } from "./options.js";

/**
 * @typedef {import("./form-options.js").FormType} FormType
 * @typedef {import("./errors.js").StripeError} StripeError
 * @typedef {import("./mounted-element.js").Shown & {values: Record<string, string>}} FormState values are what was typed
 *   that is no part of a card, by the names of the fields
 *
 * @typedef {object} FormGroup what a form needs of the group it belongs to
 * @property {string} locale
 * @property {import("./element.js").Group["fonts"]} fonts
 * @property {unknown} appearance
 * @property {{savesCard: boolean, asksForAddress: boolean}} cardForm
 * @property {() => Promise<StripeError | null>} loaded settled when it is known why nothing can be paid, if so
 * @property {(element: FormElement) => void} formChanged
 * @property {(element: MountedElement) => void} destroyed
 */

/** @type {Readonly<FormState>} */
const UNTOUCHED_FORM = Object.freeze({
  empty: true,
  complete: false,
  focused: false,
  autofilled: false,
  error: null,
  values: {},
});

/** An Element that is a form in a frame: the Payment Element, an address, an e-mail address. */
export class FormElement extends MountedElement {
  #state = { ...UNTOUCHED_FORM };
  #lastChange = "";
  #options;
  #group;

  /**
   * @param {FormType} type
   * @param {import("./form-options.js").FormElementOptions} options checked
   * @param {FormGroup} group
   */
  constructor(type, options, group) {
    super(type);
    this.kind = type;
    this.#options = options;
    this.#group = group;
  }

  /** "billing" or "shipping", of an Address Element. @returns {unknown} */
  get mode() {
    return this.#options.mode;
  }

  get isComplete() {
    return this.#state.complete;
  }

  /** What was typed that is no part of a card, by the names of the fields. */
  get values() {
    return this.#state.values;
  }

  /** Paths below `billing_details` that the page does not let the Element ask for. */
  get detailsToBeGiven() {
    return detailsToBeGiven(this.#options);
  }

  /** @param {unknown} options merged into those it has */
  update(options) {
    this.refuseIfDestroyed();
    const changes = checkFormOptions(this.kind, options, "element.update()");
    this.#options = { ...this.#options, ...changes };
    this.refresh();
    return this;
  }

  /** Cards alone are a form that cannot be made smaller. */
  collapse() {
    this.refuseIfDestroyed();
    return this;
  }

  /** What an Address Element holds. */
  async getValue() {
    this.refuseIfDestroyed();
    const error = this.frameName === null ? null : await this.validate();
    return { complete: this.isComplete && !error, isNewAddress: true, value: addressFrom(this.values) };
  }

  /** Shows what is missing. @returns {Promise<StripeError | null>} the first thing wrong */
  async validate() {
    const error = await this.askFrame("validate");
    return error ? { type: "validation_error", ...error } : null;
  }

  /** The group's locale, appearance or amount is another now. */
  refresh() {
    const { values, ...changes } = this.#frameOptions();
    this.tellFrame("update", changes);
  }

  /** @override @protected */
  takesCard() {
    return this.type === "payment" && this.#options.readOnly !== true;
  }

  /** @override @protected @returns {import("./mounted-element.js").FrameOfElement} */
  describeFrame() {
    const { page, title, height } = formOf(this.kind);
    return {
      page: `/v3/elements-inner-${page}.html`,
      title,
      height,
      options: () => ({ ...this.#frameOptions(), fonts: this.#group.fonts, rtl: this.isRightToLeft }),
      handlers: {
        ready: () => this.#load(),
        state: (/** @type {FormState} */ state) => this.#receiveState(state),
        wantsFocus: () => this.focusFrame(),
      },
      // The frame is as much larger than its place as its own edge is wide, so that what shines around a field is seen.
      styles: height === 0 ? {} : { margin: "-4px", width: "calc(100% + 8px)", "min-width": "0" },
    };
  }

  /** @override @protected */
  becameMounted() {
    this.#show();
    queueMicrotask(() => this.emit("loaderstart"));
  }

  /** @override @protected */
  becameUnmounted() {
    this.#state = { ...UNTOUCHED_FORM };
    this.#lastChange = "";
  }

  /** @override @protected */
  becameDestroyed() {
    this.#group.destroyed(this);
  }

  async #load() {
    const error = this.type === "payment" || this.type === "expressCheckout" ? await this.#group.loaded() : null;
    if (error) this.emit("loaderror", { error });
    else if (this.type === "expressCheckout") this.emit("ready", { availablePaymentMethods: undefined });
    else this.becomeReady();
  }

  #frameOptions() {
    return {
      ...formOptionsFrom(this.kind, this.#options, this.#group.cardForm),
      locale: this.#group.locale,
      appearance: this.#group.appearance,
    };
  }

  /** @param {FormState} state */
  #receiveState(state) {
    const before = this.#state;
    this.#state = state;
    this.#show();
    if (state.focused && !before.focused) this.emit("focus");
    const written = JSON.stringify(this.#changeEvent());
    const isNews = written !== this.#lastChange && (this.#lastChange !== "" || !state.empty);
    this.#lastChange = written;
    if (isNews) {
      this.#group.formChanged(this);
      this.emit("change", this.#changeEvent());
    }
    if (!state.focused && before.focused) this.emit("blur");
  }

  #changeEvent() {
    const { empty, complete, values } = this.#state;
    const said = { empty, complete };
    if (this.type === "address") {
      return { ...said, elementMode: this.mode, isNewAddress: true, value: addressFrom(values) };
    }
    if (this.type !== "payment") return { ...said, value: { email: values.email ?? "" } };
    const { country = null, postalCode = null } = values;
    return {
      ...said,
      collapsed: false,
      value: { type: "card", ...(country && { billingDetails: { address: { country, postalCode } } }) },
    };
  }

  #show() {
    this.showState(classesFrom({}), this.#state);
  }
}

/**
 * @param {FormType} type
 * @param {import("./form-options.js").FormElementOptions} options checked
 */
export function checkAddressMode(type, options) {
  if (type !== "address" || options.mode === "billing" || options.mode === "shipping") return;
  throw new IntegrationError(
    "Invalid value for elements.create('address'): mode should be one of the following strings: shipping, billing. " +
      `You specified: ${show(options.mode)}.`,
  );
}
