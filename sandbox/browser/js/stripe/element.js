import { IntegrationError, show, warn } from "./errors.js";
import { Emitter } from "./events.js";
import { Frame, frameName, setStyles } from "./frame.js";
import { checkOptions, classesFrom, fieldOptionsFrom, titleOf } from "./options.js";

/**
 * @typedef {import("./options.js").ElementType} ElementType
 *
 * @typedef {object} FieldState what a field frame says about itself; never any digit of the card
 * @property {boolean} empty
 * @property {boolean} complete
 * @property {boolean} focused
 * @property {boolean} autofilled
 * @property {string} brand
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
  postalCode: "",
  error: null,
});

/** Text fields of a form that submit it; what a browser would press for the shopper on Enter. */
const SUBMITTERS = ["submit", "image"];

/** One card Element: the container it is mounted in, its frame, its events. */
export class CardField {
  /** @type {HTMLElement | null} */
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
    return this.#frame?.line ? this.#frame.name : null;
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
    const container = findContainer(target);
    if (this.#container === container && this.#wrapper?.isConnected) return;
    if (this.#container) {
      throw new IntegrationError(
        "This Element is already mounted. Use `unmount()` to unmount the Element before re-mounting.",
      );
    }
    if (container.childNodes.length > 0) {
      warn("This Element will be mounted to a DOM element that contains child nodes.");
      container.replaceChildren();
    }
    this.#container = container;
    this.#wrapper = this.#draw();
    container.append(this.#wrapper);
    container.addEventListener("click", this.#focusFromContainer);
    document.addEventListener("click", this.#focusFromLabel);
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
    if (!this.#frame?.line) {
      this.#focusWhenReady = true;
      return;
    }
    this.#frame.iframe.focus();
    this.#frame.line.tell("focus");
  }

  blur() {
    this.#refuseIfDestroyed();
    this.#focusWhenReady = false;
    this.#frame?.line?.tell("blur");
    if (document.activeElement === this.#frame?.iframe) this.#frame?.iframe.blur();
  }

  clear() {
    this.#refuseIfDestroyed();
    this.#frame?.line?.tell("clear");
  }

  /** @param {unknown} options merged into those it has */
  update(options) {
    this.#refuseIfDestroyed();
    const changes = checkOptions(this.type, options, "element.update()");
    this.#clearClasses();
    this.#options = { ...this.#options, ...changes };
    this.#showState();
    const field = fieldOptionsFrom(this.type, this.#options);
    // The shopper's own postal code stays, unless this very call brings another.
    this.#frame?.line?.tell("update", { ...field, postalCode: changes.value?.postalCode ?? null });
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
  tellContext(context) {
    this.#frame?.line?.tell("context", context);
  }

  /** Focus arrives from the neighbour. @param {1 | -1} step */
  enter(step) {
    this.#frame?.iframe.focus();
    this.#frame?.line?.tell("focus", step < 0 ? "end" : "start");
  }

  get #mounted() {
    if (!this.#container) throw new Error("The Element is not mounted.");
    return this.#container;
  }

  #draw() {
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
      page: `fields/${this.type}`,
      name: frameName("__privateStripeFrame"),
      title: titleOf(this.type),
      options: () => ({
        ...fieldOptionsFrom(this.type, this.#options),
        locale: this.#group.locale,
        brand: this.#group.brand,
        fonts: this.#group.fonts,
        rtl: getComputedStyle(this.#mounted).direction === "rtl",
      }),
      handlers: {
        ready: () => this.#becomeReady(),
        state: (state) => this.#receiveState(state),
        escape: () => this.#emit("escape"),
        submit: () => submitForm(this.#mounted),
        height: (/** @type {number} */ height) => this.#resize(height),
        leave: (/** @type {1 | -1} */ step) => this.#group.moveFocus(this, step),
      },
      onConnect: () => undefined,
      onFail: () => this.#emit("loaderror", { error: { type: "api_connection_error", message: "Failed to load the Element." } }),
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
    document.removeEventListener("click", this.#focusFromLabel);
    this.#container?.removeEventListener("click", this.#focusFromContainer);
    this.#clearClasses();
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

  /** @param {FieldState} state */
  #receiveState(state) {
    const before = this.#state;
    this.#state = state;
    this.#showState();
    if (state.focused && !before.focused) this.#emit("focus");
    this.#emitChange(before);
    if (!state.focused && before.focused) this.#emit("blur");
    this.#group.changed(this, state);
  }

  /** @param {FieldState} before */
  #emitChange(before) {
    const event = this.#changeEvent(this.#state);
    const told = JSON.stringify(event);
    const known = this.#lastChange || JSON.stringify(this.#changeEvent(before));
    this.#lastChange = told;
    if (told !== known) this.#emit("change", event);
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
    const container = this.#container;
    if (!container) return;
    const { base, complete, empty, focus, invalid, webkitAutofill } = classesFrom(this.#options);
    container.classList.add(...names(base));
    const states = /** @type {const} */ ([
      [complete, this.#state.complete],
      [empty, this.#state.empty],
      [focus, this.#state.focused],
      [invalid, this.#state.error !== null],
      [webkitAutofill, this.#state.autofilled],
    ]);
    for (const [classes, on] of states) {
      for (const name of names(classes)) container.classList.toggle(name, on);
    }
  }

  #clearClasses() {
    this.#container?.classList.remove(...Object.values(classesFrom(this.#options)).flatMap(names));
  }

  /** @param {number} height in CSS pixels */
  #resize(height) {
    if (this.#frame) setStyles(this.#frame.iframe, { height: `${height}px` });
  }

  /** @param {MouseEvent} event */
  #focusFromContainer = (event) => {
    if (event.target === this.#container) this.focus();
  };

  /** @param {MouseEvent} event */
  #focusFromLabel = (event) => {
    const label = event.target instanceof Element ? event.target.closest("label") : null;
    const container = this.#container;
    if (!label || !container) return;
    if ((container.id !== "" && label.htmlFor === container.id) || label.contains(container)) this.focus();
  };

  #refuseIfDestroyed() {
    if (this.#destroyed) {
      throw new IntegrationError("This Element has already been destroyed. Please create a new one.");
    }
  }
}

/**
 * @param {unknown} target
 * @returns {HTMLElement}
 */
function findContainer(target) {
  if (!target) {
    throw new IntegrationError(
      "Missing argument. Make sure to call mount() with a valid DOM element or selector.",
    );
  }
  const found = typeof target === "string" ? document.querySelector(target) : target;
  if (typeof target === "string" && !found) {
    throw new IntegrationError(
      `The selector you specified (${target}) applies to no DOM elements that are currently on the page.\n` +
        "Make sure the element exists on the page before calling mount().",
    );
  }
  if (!(found instanceof HTMLElement)) {
    throw new IntegrationError(
      `Invalid DOM element. Make sure to call mount() with a valid DOM element or selector. You specified: ${show(target)}.`,
    );
  }
  if (found instanceof HTMLInputElement || found instanceof HTMLTextAreaElement) {
    throw new IntegrationError(
      `Stripe Elements must be mounted in a DOM element that can contain child nodes. ${found.tagName.toLowerCase()} elements cannot.`,
    );
  }
  return found;
}

/**
 * Does what Enter in a text field of that form would: presses its submit button, unless that is disabled.
 *
 * @param {HTMLElement} container
 */
function submitForm(container) {
  const form = container.closest("form");
  const buttons = [...(form?.elements ?? [])].filter(
    (control) =>
      (control instanceof HTMLButtonElement || control instanceof HTMLInputElement) && SUBMITTERS.includes(control.type),
  );
  if (buttons.length > 0) /** @type {HTMLElement} */ (buttons[0]).click();
  else form?.requestSubmit();
}

/** @param {string} classes @returns {string[]} */
function names(classes) {
  return classes.split(/\s+/).filter(Boolean);
}
