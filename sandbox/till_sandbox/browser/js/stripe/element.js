import { Container, findContainer } from "./container.js";
import { IntegrationError } from "./errors.js";
import { Emitter } from "./events.js";
import { Frame, frameName, setStyles } from "./frame.js";
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
 * @property {(element: CardField) => void} destroyed
 * @property {(type: ElementType) => CardField | null} getElement
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

const LOAD_ERROR = Object.freeze({ type: "api_connection_error", message: "The Element failed to load." });

/** Every Element that is mounted. @type {Set<CardField>} */
const mounted = new Set();

/**
 * Types a card into the mounted Elements, each taking its own parts of it.
 *
 * @param {{number?: string, expiry?: string, cvc?: string, postal?: string}} card as a person would type it
 * @returns {boolean} false when there is no Element that takes it now
 */
export function fillFields(card) {
  const taking = [...mounted].map((element) => element.fill(card));
  return taking.includes(true);
}

/** One card Element: the container it is mounted in, its frame, its events. */
export class CardField {
  /** @type {Container | null} */
  #container = null;
  /** @type {HTMLElement | null} */
  #wrapper = null;
  /** @type {Frame | null} */
  #frame = null;
  #events = new Emitter();
  #destroyed = false;
  #focusWhenReady = false;
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
    this.type = type;
    this.#options = options;
    this.#group = group;
  }

  /** Name of the mounted frame, by which the controller finds it; null while not mounted. */
  get frameName() {
    return this.#frame?.channel && this.#frame.iframe.isConnected ? this.#frame.name : null;
  }

  get group() {
    return this.#group;
  }

  get brand() {
    return this.#state.brand;
  }

  /** @param {string | HTMLElement} target */
  mount(target) {
    this.#refuseIfDestroyed();
    const node = findContainer(target);
    if (this.#wrapper?.isConnected) {
      if (this.#container?.node === node) return;
      throw new IntegrationError(
        "This Element is already mounted. Use `unmount()` to unmount the Element before re-mounting.",
      );
    }
    // The page may have thrown away the node the Element was in, without a word.
    this.#takeDown();
    this.#container = new Container(node, () => this.focus());
    this.#wrapper = this.#draw(this.#container);
    node.append(this.#wrapper);
    mounted.add(this);
    this.#showState();
  }

  unmount() {
    this.#refuseIfDestroyed();
    this.#takeDown();
  }

  destroy() {
    this.#refuseIfDestroyed();
    this.#takeDown();
    this.#destroyed = true;
    this.#group.destroyed(this);
  }

  focus() {
    this.#refuseIfDestroyed();
    if (!this.#frame?.channel) {
      this.#focusWhenReady = true;
      return;
    }
    this.#frame.iframe.focus();
    this.#frame.channel.notify("focus");
  }

  blur() {
    this.#refuseIfDestroyed();
    this.#focusWhenReady = false;
    this.#frame?.channel?.notify("blur");
    if (document.activeElement === this.#frame?.iframe) this.#frame?.iframe.blur();
  }

  clear() {
    this.#refuseIfDestroyed();
    this.#frame?.channel?.notify("clear");
  }

  /** @param {unknown} options merged into those it has */
  update(options) {
    this.#refuseIfDestroyed();
    const changes = checkOptions(this.type, options, "element.update()");
    this.#options = { ...this.#options, ...changes };
    this.#showState();
    const field = fieldOptionsFrom(this.type, this.#options);
    // The shopper's own postal code stays, unless this very call brings another.
    const changesPostalCode = typeof changes.value?.postalCode === "string";
    this.#frame?.channel?.notify("update", { ...field, changesPostalCode });
  }

  /** @param {string} name @param {import("./events.js").Listener} listener */
  on(name, listener) {
    this.#refuseIfDestroyed();
    this.#events.add(name, listener, false);
    return this;
  }

  /** @param {string} name @param {import("./events.js").Listener} listener */
  once(name, listener) {
    this.#refuseIfDestroyed();
    this.#events.add(name, listener, true);
    return this;
  }

  /** @param {string} name @param {import("./events.js").Listener} [listener] */
  off(name, listener) {
    this.#events.remove(name, listener);
    return this;
  }

  /** The group's card brand or locale is another now. @param {{brand?: string, locale?: string}} context */
  setContext(context) {
    this.#frame?.channel?.notify("context", context);
  }

  /** Focus arrives from the neighbour. @param {1 | -1} step */
  enter(step) {
    this.#frame?.iframe.focus();
    this.#frame?.channel?.notify("focus", step < 0 ? "end" : "start");
  }

  /** @param {Record<string, unknown>} card @returns {boolean} whether the field can take it now */
  fill(card) {
    const channel = this.#options.disabled ? null : this.#frame?.channel;
    channel?.notify("fill", card);
    return Boolean(channel);
  }

  /** @param {Container} container */
  #draw(container) {
    const wrapper = document.createElement("div");
    wrapper.className = "__PrivateStripeElement";
    setStyles(wrapper, {
      margin: "0",
      padding: "0",
      border: "none",
      display: "block",
      background: "transparent",
      position: "relative",
      opacity: "1",
    });
    this.#frame = new Frame({
      page: `/v3/elements-inner-card.html?componentName=${this.type}`,
      name: frameName("__privateStripeFrame"),
      title: titleOf(this.type),
      options: () => ({
        ...fieldOptionsFrom(this.type, this.#options),
        locale: this.#group.locale,
        brand: this.#group.brand,
        fonts: this.#group.fonts,
        rtl: container.isRightToLeft,
      }),
      handlers: {
        ready: () => this.#becomeReady(),
        state: (state) => this.#receiveState(state),
        escape: () => this.#emit("escape"),
        submit: () => container.submitForm(),
        height: (/** @type {number} */ height) => this.#resize(height),
        leave: (/** @type {1 | -1} */ step) => this.#leave(step),
      },
      onConnect: () => undefined,
      onFail: () => this.#emit("loaderror", { error: LOAD_ERROR }),
    });
    const { iframe } = this.#frame;
    iframe.setAttribute("allowtransparency", "true");
    iframe.setAttribute("role", "presentation");
    setStyles(iframe, {
      border: "none",
      margin: "0",
      padding: "0",
      width: "1px",
      "min-width": "100%",
      overflow: "hidden",
      display: "block",
      "user-select": "none",
      // A frame is see-through only while its colour scheme is the page's; the field itself is coloured by its style.
      "color-scheme": "light only",
    });
    this.#resize(19.2);
    wrapper.append(iframe);
    return wrapper;
  }

  #takeDown() {
    mounted.delete(this);
    this.#container?.detach();
    this.#frame?.remove();
    this.#wrapper?.remove();
    this.#frame = this.#wrapper = this.#container = null;
    this.#state = { ...UNTOUCHED };
    this.#lastChange = "";
    this.#focusWhenReady = false;
  }

  #becomeReady() {
    this.#emit("ready");
    if (!this.#focusWhenReady) return;
    this.#focusWhenReady = false;
    this.focus();
  }

  /**
   * The input is full, or Backspace was pressed in an empty one. A shopper or a fast script may be in another field by
   * the time this message arrives; then the focus stays there.
   *
   * @param {1 | -1} step
   */
  #leave(step) {
    if (document.activeElement === this.#frame?.iframe) this.#group.moveFocus(this, step);
  }

  /** @param {FieldState} state */
  #receiveState(state) {
    const before = this.#state;
    this.#state = state;
    this.#showState();
    if (state.focused && !before.focused) this.#emit("focus");
    this.#emitChange(before);
    if (String(state.networks) !== String(before.networks)) this.#emit("networkschange");
    if (!state.focused && before.focused) this.#emit("blur");
    this.#group.changed(this, state);
  }

  /** @param {FieldState} before */
  #emitChange(before) {
    const event = this.#changeEvent(this.#state);
    const written = JSON.stringify(event);
    const known = this.#lastChange || JSON.stringify(this.#changeEvent(before));
    this.#lastChange = written;
    if (written !== known) this.#emit("change", event);
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

  /** @param {string} name @param {object} [details] */
  #emit(name, details) {
    this.#events.emit(name, { elementType: this.type, ...details });
  }

  #showState() {
    this.#container?.applyState(classesFrom(this.#options), this.#state);
  }

  /** @param {number} height in CSS pixels */
  #resize(height) {
    if (this.#frame) setStyles(this.#frame.iframe, { height: `${height}px` });
  }

  #refuseIfDestroyed() {
    if (this.#destroyed) {
      throw new IntegrationError("This Element has already been destroyed. Please create a new one.");
    }
  }
}
