/**
 * Where the inputs of a card field stand. In a wide frame all are seen whole. In a narrow one the number has the room
 * while it is typed; once it is complete only its last digits stay, and the others have the room.
 */

/** What the widest value of an input looks like; eights are wide in every typeface. */
const WIDEST = Object.freeze({ number: "8888 8888 8888 8888", expiry: "88 / 88", cvc: "8888", postal: "88888" });

/** Room for the caret, and for the rounding of measured text, in CSS pixels. */
const SLACK = 4;

export class Layout {
  #root;
  #inputs;
  #brand = "unknown";
  #invalid = false;
  #canvas = document.createElement("canvas").getContext("2d");

  /**
   * @param {HTMLElement} root
   * @param {import("./card-input.js").CardInput[]} inputs
   */
  constructor(root, inputs) {
    this.#root = root;
    this.#inputs = inputs;
    new ResizeObserver(() => this.arrange()).observe(root);
    root.addEventListener("focusin", () => this.arrange());
    root.addEventListener("focusout", () => this.arrange());
  }

  /** @param {(height: number) => void} listener called with the height the frame needs, at once and whenever it changes */
  onHeight(listener) {
    let last = 0;
    new ResizeObserver(() => {
      const { height } = this.#root.getBoundingClientRect();
      if (height > 0 && height !== last) listener(height);
      last = height;
    }).observe(this.#root);
  }

  /** @param {{brand: string, invalid: boolean}} [state] */
  arrange(state) {
    if (state) [this.#brand, this.#invalid] = [state.brand, state.invalid];
    this.#showIcon();
    const number = this.#inputs.find((input) => input.name === "number");
    const others = this.#inputs.filter((input) => input !== number && input.element.isConnected);
    if (!number || others.length === 0) return;
    for (const input of others) setWidth(input.element, this.#widest(input));
    const slot = /** @type {HTMLElement} */ (this.#root.querySelector(".CardField-number"));
    const rest = /** @type {HTMLElement} */ (this.#root.querySelector(".CardField-restWrapper"));
    if (this.#root.clientWidth === 0) return;
    const needed = this.#widest(number) + rest.scrollWidth;
    if (needed <= this.#roomBesideIcon()) this.#view("wide", number, slot);
    else if (number.isComplete && document.activeElement !== number.element) this.#view("rest", number, slot);
    else this.#view("number", number, slot);
  }

  /**
   * @param {"wide" | "number" | "rest"} view
   * @param {import("./card-input.js").CardInput} number
   * @param {HTMLElement} slot
   */
  #view(view, number, slot) {
    this.#root.dataset.view = view;
    const { element } = number;
    const whole = this.#measure(element, element.value || element.placeholder);
    const tail = this.#measure(element, element.value.split(" ").at(-1) ?? "");
    const isRest = view === "rest";
    slot.style.width = isRest ? `${tail}px` : "";
    slot.style.minWidth = view === "number" ? `${whole + SLACK}px` : "";
    // Only the text moves: the input itself stays where it is seen, and can be clicked there.
    element.style.textIndent = isRest ? `${tail - whole}px` : "";
  }

  #showIcon() {
    const use = this.#root.querySelector(".CardBrandIcon-container use");
    const cvc = this.#inputs.find((input) => input.name === "cvc");
    const onCvc = cvc !== undefined && document.activeElement === cvc.element;
    const mark = this.#invalid ? "invalid" : onCvc ? "cvc" : this.#brand;
    if (use?.getAttribute("href") !== `#mark-${mark}`) use?.setAttribute("href", `#mark-${mark}`);
    this.#root.classList.toggle("shows-brand", mark === this.#brand && mark !== "unknown");
  }

  /** @returns {number} CSS pixels for number and rest together */
  #roomBesideIcon() {
    const gap = Number.parseFloat(getComputedStyle(this.#root).columnGap) || 0;
    const icon = this.#root.querySelector(".CardBrandIcon-container")?.getBoundingClientRect().width ?? 0;
    const networks = this.#root.querySelector(".CardBrandChoiceDropdown")?.getBoundingClientRect().width ?? 0;
    return this.#root.clientWidth - gap - (icon > 0 ? icon + gap : 0) - (networks > 0 ? networks + gap : 0);
  }

  /** @param {import("./card-input.js").CardInput} input */
  #widest({ name, element }) {
    const texts = [WIDEST[name], element.placeholder, element.value];
    return Math.max(...texts.map((text) => this.#measure(element, text))) + SLACK;
  }

  /**
   * @param {HTMLInputElement} element
   * @param {string} text
   * @returns {number} its width there in CSS pixels
   */
  #measure(element, text) {
    const style = getComputedStyle(element);
    if (!this.#canvas) return 0;
    this.#canvas.font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    const spacing = Number.parseFloat(style.letterSpacing) || 0;
    return Math.ceil(this.#canvas.measureText(text).width + spacing * text.length);
  }
}

/** @param {HTMLElement} element @param {number} width in CSS pixels */
function setWidth(element, width) {
  element.style.width = `${width}px`;
}
