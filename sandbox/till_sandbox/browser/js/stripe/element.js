import { MountedElement } from "./mounted-element.js";
import { checkOptions, classesFrom, fieldOptionsFrom, titleOf } from "./options.js";

/**
 * @typedef {import("./options.js").ElementType} ElementType
 *
 * @typedef {object} FieldState what a field frame reports about itself; never any digit of the card
 * @property {boolean} empty
 * @property {boolean} complete
 * @property {boolean} focused
 * @property {boolean} autofilled
 * @property {string} brand
 * @property {readonly string[]} networks the card can be paid over, where the cardholder may choose
 * @property {string} postalCode
 * @property {{code: string, message: string} | null} error
 *
 * @typedef {object} Group what an Element needs of the group it belongs to
 * @property {string} locale
 * @property {string} brand of the card number typed into the group
 * @property {{family: string, source: string, descriptors: FontFaceDescriptors}[]} fonts
 * @property {(element: CardField, state: FieldState) => void} changed
 * @property {(element: CardField, step: 1 | -1) => void} moveFocus
 * @property {(element: import("./mounted-element.js").MountedElement) => void} destroyed
 * @property {(type: ElementType) => unknown} getElement
 */

/** @type {Readonly<FieldState>} */
const UNTOUCHED = Object.freeze({
  empty: true,
  complete: false,
  focused: false,
  autofilled: false,
  brand: "unknown",
  networks: [],
  postalCode: "",
  error: null,
});

/** One card Element. */
export class CardField extends MountedElement {
  #state = { ...UNTOUCHED };
  #lastChange = "";
  #options;
  #group;

  /**
   * @param {ElementType} type
   * @param {import("./options.js").ElementOptions} options checked
   * @param {Group} group
   */
  constructor(type, options, group) {
    super(type);
    this.kind = type;
    this.#options = options;
    this.#group = group;
  }

  get group() {
    return this.#group;
  }

  get brand() {
    return this.#state.brand;
  }

  /** @param {unknown} options merged into those it has */
  update(options) {
    this.refuseIfDestroyed();
    const changes = checkOptions(this.kind, options, "element.update()");
    this.#options = { ...this.#options, ...changes };
    this.#show();
    const field = fieldOptionsFrom(this.kind, this.#options);
    // The shopper's own postal code stays, unless this very call brings another.
    const changesPostalCode = typeof changes.value?.postalCode === "string";
    this.tellFrame("update", { ...field, changesPostalCode });
  }

  /** The group's card brand or locale is another now. @param {{brand?: string, locale?: string}} context */
  setContext(context) {
    this.tellFrame("context", context);
  }

  /** @override @protected */
  takesCard() {
    return !this.#options.disabled;
  }

  /** @override @protected */
  describeFrame() {
    return {
      page: `/v3/elements-inner-card.html?componentName=${this.type}`,
      title: titleOf(this.kind),
      height: 19.2,
      options: () => ({
        ...fieldOptionsFrom(this.kind, this.#options),
        locale: this.#group.locale,
        brand: this.#group.brand,
        fonts: this.#group.fonts,
        rtl: this.isRightToLeft,
      }),
      handlers: {
        ready: () => this.becomeReady(),
        state: (/** @type {FieldState} */ state) => this.#receiveState(state),
        leave: (/** @type {1 | -1} */ step) => this.#leave(step),
      },
    };
  }

  /** @override @protected */
  becameMounted() {
    this.#show();
  }

  /** @override @protected */
  becameUnmounted() {
    this.#state = { ...UNTOUCHED };
    this.#lastChange = "";
  }

  /** @override @protected */
  becameDestroyed() {
    this.#group.destroyed(this);
  }

  /**
   * The input is full, or Backspace was pressed in an empty one. A shopper or a fast script may be in another field by
   * the time this message arrives; then the focus stays there.
   *
   * @param {1 | -1} step
   */
  #leave(step) {
    if (this.isFocused) this.#group.moveFocus(this, step);
  }

  /** @param {FieldState} state */
  #receiveState(state) {
    const before = this.#state;
    this.#state = state;
    this.#show();
    if (state.focused && !before.focused) this.emit("focus");
    this.#emitChange(before);
    if (String(state.networks) !== String(before.networks)) this.emit("networkschange");
    if (!state.focused && before.focused) this.emit("blur");
    this.#group.changed(this, state);
  }

  /** @param {FieldState} before */
  #emitChange(before) {
    const event = this.#changeEvent(this.#state);
    const written = JSON.stringify(event);
    const known = this.#lastChange || JSON.stringify(this.#changeEvent(before));
    this.#lastChange = written;
    if (written !== known) this.emit("change", event);
  }

  /** @param {FieldState} state */
  #changeEvent({ empty, complete, brand, postalCode, error }) {
    return {
      elementType: this.type,
      error: error ? { type: "validation_error", ...error } : undefined,
      ...(this.type === "card" && { value: { postalCode } }),
      empty,
      complete,
      ...((this.type === "card" || this.type === "cardNumber") && { brand }),
    };
  }

  #show() {
    this.showState(classesFrom(this.#options), this.#state);
  }
}
