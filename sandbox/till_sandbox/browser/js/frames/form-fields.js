import { CardInput } from "./card-input.js";
import { Choice } from "./choice.js";
import { FormField } from "./form-field.js";

/** @typedef {import("./form-field.js").Control} Control */

/** The fields of a form: all there are, and those that the shopper sees. */
export class FormFields {
  /** @type {FormField[]} */
  all = [];

  /**
   * @param {HTMLElement} root
   * @param {(name: string) => import("./formats.js").InputFormat} formatOf
   * @param {(typedInto: CardInput<string> | null) => void} onEdit called after each edit, with an input that more was typed
   *   into at its end
   */
  constructor(root, formatOf, onEdit) {
    this.all = [...root.querySelectorAll(".p-GridCell")].map((cell) => {
      const element = /** @type {HTMLInputElement | HTMLSelectElement} */ (cell.querySelector(".Input"));
      const { name } = element;
      const control =
        element instanceof HTMLSelectElement
          ? new Choice(name, element, () => onEdit(null))
          : new CardInput(name, element, formatOf(name), (input, { inserted, atEnd }) =>
              onEdit(inserted && atEnd ? input : null),
            );
      return new FormField(/** @type {HTMLElement} */ (cell), control);
    });
  }

  /** Those the shopper sees, in their order. */
  get shown() {
    return this.all.filter((field) => field.isShown);
  }

  /** @param {string} name @returns {FormField | undefined} the one of that name that the shopper sees */
  named(name) {
    return this.shown.find((field) => field.name === name);
  }

  /** @param {EventTarget | null} element @returns {FormField | undefined} */
  of(element) {
    return this.all.find(({ control }) => control.element === element);
  }

  /** @param {string} name @returns {CardInput<string> | null} the input of that name that the shopper sees */
  input(name) {
    const control = this.named(name)?.control;
    return control instanceof CardInput ? control : null;
  }

  /** @param {string} name @returns {Choice | null} the list of that name, seen or not */
  list(name) {
    const found = this.all.find((field) => field.name === name && field.control instanceof Choice)?.control;
    return found instanceof Choice ? found : null;
  }

  /** @param {string} name @returns {string | undefined} what the shopper typed or chose; undefined where it is not asked for */
  value(name) {
    const field = this.named(name);
    return field && valueOf(field.control);
  }
}

/** @param {Control} control @returns {string} */
export function valueOf(control) {
  return control instanceof Choice ? control.value : control.input.value;
}
