import { IntegrationError, show, warn } from "./errors.js";

/** Types of the controls a browser presses for the shopper when Enter is hit in a text field of their form. */
const SUBMITTERS = ["submit", "image"];

/**
 * The shop's own node that an Element is mounted in: it has the classes of the Element's state, and a press on it focuses
 * the Element.
 */
export class Container {
  /** @type {string[]} */
  #applied = [];
  #onPress;

  /**
   * @param {HTMLElement} node
   * @param {() => void} onPress called when the shopper presses the node beside the Element, or its label
   */
  constructor(node, onPress) {
    this.node = node;
    this.#onPress = onPress;
    if (node.childNodes.length > 0) {
      warn("This Element will be mounted to a DOM element that contains child nodes.");
      node.replaceChildren();
    }
    document.addEventListener("click", this.#pressed);
  }

  get isRightToLeft() {
    return getComputedStyle(this.node).direction === "rtl";
  }

  /**
   * Adds the classes of a state and removes those of the one before.
   *
   * @param {import("./options.js").Classes} classes
   * @param {import("./mounted-element.js").Shown} state
   */
  applyState(classes, { complete, empty, focused, error, autofilled }) {
    const names = [
      classes.base,
      complete && classes.complete,
      empty && classes.empty,
      focused && classes.focus,
      error && classes.invalid,
      autofilled && classes.webkitAutofill,
    ].flatMap((name) => (name ? name.split(/\s+/).filter(Boolean) : []));
    this.node.classList.remove(...this.#applied.filter((name) => !names.includes(name)));
    this.node.classList.add(...names);
    this.#applied = names;
  }

  /** Does what Enter in a text field of its form would: presses the submit button, unless that is disabled. */
  submitForm() {
    const form = this.node.closest("form");
    const button = [...(form?.elements ?? [])].find(
      (control) =>
        (control instanceof HTMLButtonElement || control instanceof HTMLInputElement) &&
        SUBMITTERS.includes(control.type),
    );
    if (button instanceof HTMLElement) button.click();
    else form?.requestSubmit();
  }

  /** Leaves the node as it was. */
  detach() {
    document.removeEventListener("click", this.#pressed);
    this.node.classList.remove(...this.#applied);
  }

  /** @param {MouseEvent} event */
  #pressed = (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const label = target?.closest("label");
    const isLabelled = label && (label.contains(this.node) || (this.node.id !== "" && label.htmlFor === this.node.id));
    if (target === this.node || isLabelled) this.#onPress();
  };
}

/**
 * @param {unknown} target a selector or a node, as given to `mount()`
 * @returns {HTMLElement}
 */
export function findContainer(target) {
  if (!target) {
    throw new IntegrationError("Missing argument. Make sure to call mount() with a valid DOM element or selector.");
  }
  const found = typeof target === "string" ? document.querySelector(target) : target;
  if (typeof target === "string" && !found) {
    throw new IntegrationError(
      `The selector you specified (${target}) applies to no DOM elements that are currently on the page.\n` +
        "Make sure the element exists on the page before calling mount().",
    );
  }
  if (!(found instanceof HTMLElement) || found instanceof HTMLInputElement || found instanceof HTMLTextAreaElement) {
    throw new IntegrationError(
      "Invalid DOM element. Make sure to call mount() with a valid DOM element or selector. " +
        `You specified: ${found instanceof Element ? found.tagName.toLowerCase() : show(target)}.`,
    );
  }
  return found;
}
