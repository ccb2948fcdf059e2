/** The place of the postal code in a card field. Where none is asked for, there is no input in the document, as Stripe has it. */
export class PostalCodeChild {
  #place;
  #container;

  /** @param {HTMLElement} place @param {HTMLElement} container of the input */
  constructor(place, container) {
    this.#place = place;
    this.#container = container;
  }

  /**
   * @param {HTMLElement} root
   * @returns {PostalCodeChild | null} null in a field without one
   */
  static in(root) {
    const template = root.querySelector("template");
    const place = template?.parentElement;
    const container = template?.content.firstElementChild;
    return place && container instanceof HTMLElement ? new PostalCodeChild(place, container) : null;
  }

  get element() {
    return /** @type {HTMLInputElement} */ (this.#container.querySelector("input"));
  }

  /** @param {boolean} shown */
  show(shown) {
    if (shown === this.#container.isConnected) return;
    if (shown) this.#place.append(this.#container);
    else this.#container.remove();
  }
}
