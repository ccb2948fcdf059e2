import { CONNECT, FrameChannel, HELLO } from "../shared/frame-channel.js";
import { ORIGIN } from "./origin.js";

/**
 * @typedef {object} FrameSettings
 * @property {string} page path of what it shows, on the sandbox
 * @property {string} name the frame's name
 * @property {string} title what a screen reader says of it
 * @property {() => unknown} options what the frame gets when it connects
 * @property {Record<string, import("../shared/frame-channel.js").Handler>} handlers what the frame may request, or notify the page of
 * @property {() => void} onConnect called each time the frame has connected: again, if the browser had to reload it
 * @property {() => void} onFail called when the frame has loaded something that is not ours
 */

/** How long a loaded frame may take to say hello; its script runs before its load event, so this is generous. */
const HELLO_WITHIN_MS = 3000;

let framesMade = Math.floor(Math.random() * 9000);

/**
 * @param {string} prefix
 * @returns {string} a frame name no other frame of this page has
 */
export function frameName(prefix) {
  return `${prefix}${++framesMade}`;
}

/** An iframe of the sandbox in the merchant's page, and the channel to it. */
export class Frame {
  /** @type {FrameChannel | null} */
  channel = null;
  /** @type {number | undefined} */
  #deadline;
  #settings;

  /** @param {FrameSettings} settings */
  constructor(settings) {
    this.#settings = settings;
    this.iframe = document.createElement("iframe");
    this.iframe.name = settings.name;
    this.iframe.title = settings.title;
    this.iframe.setAttribute("frameborder", "0");
    this.iframe.setAttribute("scrolling", "no");
    this.iframe.src = `${ORIGIN}${settings.page}`;
    this.iframe.addEventListener("load", this.#expectHello);
    window.addEventListener("message", this.#receive);
  }

  get name() {
    return this.#settings.name;
  }

  /** Takes the frame out of the page for good. */
  remove() {
    window.removeEventListener("message", this.#receive);
    clearTimeout(this.#deadline);
    this.channel?.close();
    this.channel = null;
    this.iframe.remove();
  }

  #expectHello = () => {
    clearTimeout(this.#deadline);
    if (this.channel) return;
    this.#deadline = window.setTimeout(() => !this.channel && this.#settings.onFail(), HELLO_WITHIN_MS);
  };

  /** @param {MessageEvent} event */
  #receive = (event) => {
    if (event.source !== this.iframe.contentWindow || event.origin !== ORIGIN || event.data !== HELLO) return;
    clearTimeout(this.#deadline);
    this.channel?.close();
    const { port1, port2 } = new MessageChannel();
    this.channel = new FrameChannel(port1, this.#settings.handlers);
    const greeting = { type: CONNECT, options: this.#settings.options() };
    this.iframe.contentWindow?.postMessage(greeting, ORIGIN, [port2]);
    this.#settings.onConnect();
  };
}

/**
 * Sets styles through the CSSOM, which a page whose Content-Security-Policy forbids inline styles still allows.
 *
 * @param {HTMLElement} element
 * @param {Record<string, string>} styles CSS properties, set as !important so that the page's own rules do not
 *   leak in
 */
export function setStyles(element, styles) {
  for (const [property, value] of Object.entries(styles)) element.style.setProperty(property, value, "important");
}
