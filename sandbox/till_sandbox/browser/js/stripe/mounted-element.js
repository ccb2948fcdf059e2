import { Container, findContainer } from "./container.js";
import { IntegrationError } from "./errors.js";
import { Emitter } from "./events.js";
import { Frame, frameName, setStyles } from "./frame.js";

/**
 * @typedef {object} Shown what a frame says about the state of its Element, by which the container gets its classes
 * @property {boolean} empty
 * @property {boolean} complete
 * @property {boolean} focused
 * @property {boolean} autofilled
 * @property {{code: string, message: string} | null} error
 *
 * @typedef {object} FrameOfElement what an Element shows in its container
 * @property {string} page path of it, on the sandbox
 * @property {string} title
 * @property {() => unknown} options what the frame gets when it connects
 * @property {Record<string, import("../shared/frame-channel.js").Handler>} handlers beside those that every Element has
 * @property {Record<string, string>} [styles] of the frame itself
 * @property {number} height in CSS pixels, until the frame says how high it is
 */

const LOAD_ERROR = Object.freeze({ type: "api_connection_error", message: "The Element failed to load." });

/** Every Element that is mounted. @type {Set<MountedElement>} */
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

/** What every Element is: the container it is mounted in, its frame, its events. */
export class MountedElement {
  /** @type {Container | null} */
  #container = null;
  /** @type {HTMLElement | null} */
  #wrapper = null;
  /** @type {Frame | null} */
  #frame = null;
  #events = new Emitter();
  #destroyed = false;
  #focusWhenReady = false;

  /** @param {string} type */
  constructor(type) {
    this.type = type;
  }

  /** Name of the mounted frame, by which the controller finds it; null while not mounted. */
  get frameName() {
    return this.#frame?.channel && this.#frame.iframe.isConnected ? this.#frame.name : null;
  }

  /** @param {string | HTMLElement} target */
  mount(target) {
    this.refuseIfDestroyed();
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
    this.becameMounted();
  }

  unmount() {
    this.refuseIfDestroyed();
    this.#takeDown();
  }

  destroy() {
    this.refuseIfDestroyed();
    this.#takeDown();
    this.#destroyed = true;
    this.becameDestroyed();
  }

  focus() {
    this.refuseIfDestroyed();
    if (!this.#frame?.channel) {
      this.#focusWhenReady = true;
      return;
    }
    this.#frame.iframe.focus();
    this.#frame.channel.notify("focus");
  }

  blur() {
    this.refuseIfDestroyed();
    this.#focusWhenReady = false;
    this.#frame?.channel?.notify("blur");
    if (document.activeElement === this.#frame?.iframe) this.#frame?.iframe.blur();
  }

  clear() {
    this.refuseIfDestroyed();
    this.#frame?.channel?.notify("clear");
  }

  /** @param {string} name @param {import("./events.js").Listener} listener */
  on(name, listener) {
    this.refuseIfDestroyed();
    this.#events.add(name, listener, false);
    return this;
  }

  /** @param {string} name @param {import("./events.js").Listener} listener */
  once(name, listener) {
    this.refuseIfDestroyed();
    this.#events.add(name, listener, true);
    return this;
  }

  /** @param {string} name @param {import("./events.js").Listener} [listener] */
  off(name, listener) {
    this.#events.remove(name, listener);
    return this;
  }

  /**
   * Focus arrives from a neighbour.
   *
   * @param {1 | -1} step
   */
  enter(step) {
    this.#frame?.iframe.focus();
    this.tellFrame("focus", step < 0 ? "end" : "start");
  }

  /** @param {Record<string, unknown>} card @returns {boolean} whether the Element can take it now */
  fill(card) {
    const channel = this.takesCard() ? this.#frame?.channel : null;
    channel?.notify("fill", card);
    return Boolean(channel);
  }

  /** @protected @returns {boolean} whether a card can be typed into it */
  takesCard() {
    return false;
  }

  /** @protected @returns {FrameOfElement} */
  describeFrame() {
    throw new Error(`${this.type} has no frame.`);
  }

  /** @protected */
  becameMounted() {}

  /** @protected */
  becameUnmounted() {}

  /** @protected */
  becameDestroyed() {}

  /** @protected @param {string} name @param {object} [details] */
  emit(name, details) {
    this.#events.emit(name, { elementType: this.type, ...details });
  }

  /** @protected */
  becomeReady() {
    this.emit("ready");
    if (!this.#focusWhenReady) return;
    this.#focusWhenReady = false;
    this.focus();
  }

  /** @protected @param {string} name @param {unknown} [payload] */
  tellFrame(name, payload) {
    this.#frame?.channel?.notify(name, payload);
  }

  /**
   * @protected
   * @param {string} name
   * @returns {Promise<any>} the frame's answer; rejected when there is no frame
   */
  async askFrame(name) {
    if (!this.#frame?.channel) throw new Error("The frame has gone.");
    return this.#frame.channel.request(name);
  }

  /** Gives the frame the focus, wherever in it that is wanted. @protected */
  focusFrame() {
    this.#frame?.iframe.focus();
  }

  /** @protected */
  get isFocused() {
    return document.activeElement === this.#frame?.iframe;
  }

  /** @protected */
  get isRightToLeft() {
    return this.#container?.isRightToLeft ?? false;
  }

  /** @protected @param {import("./options.js").Classes} classes @param {Shown} state */
  showState(classes, state) {
    this.#container?.applyState(classes, state);
  }

  /** @protected */
  refuseIfDestroyed() {
    if (this.#destroyed) {
      throw new IntegrationError("This Element has already been destroyed. Please create a new one.");
    }
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
    const described = this.describeFrame();
    this.#frame = new Frame({
      page: described.page,
      name: frameName("__privateStripeFrame"),
      title: described.title,
      options: described.options,
      handlers: {
        escape: () => this.emit("escape"),
        submit: () => container.submitForm(),
        height: (/** @type {number} */ height) => this.#resize(height),
        ...described.handlers,
      },
      onConnect: () => undefined,
      onFail: () => this.emit("loaderror", { error: LOAD_ERROR }),
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
      ...described.styles,
    });
    this.#resize(described.height);
    wrapper.append(iframe);
    return wrapper;
  }

  #takeDown() {
    mounted.delete(this);
    this.#container?.detach();
    this.#frame?.remove();
    this.#wrapper?.remove();
    this.#frame = this.#wrapper = this.#container = null;
    this.#focusWhenReady = false;
    this.becameUnmounted();
  }

  /** @param {number} height in CSS pixels */
  #resize(height) {
    if (this.#frame) setStyles(this.#frame.iframe, { height: `${height}px` });
  }
}
