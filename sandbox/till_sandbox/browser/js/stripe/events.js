import { IntegrationError } from "./errors.js";

/**
 * @typedef {(event?: any) => unknown} Listener
 */

/** The `on`, `once`, `off` of Elements. */
export class Emitter {
  /** @type {Map<string, {listener: Listener, once: boolean}[]>} */
  #listeners = new Map();

  /**
   * @param {string} name
   * @param {Listener} listener
   * @param {boolean} once
   */
  add(name, listener, once) {
    if (typeof name !== "string") throw new IntegrationError("The event name must be a string.");
    if (typeof listener !== "function")
      throw new IntegrationError(`The handler of the ${name} event must be a function.`);
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), { listener, once }]);
  }

  /**
   * @param {string} name
   * @param {Listener} [listener] without it, every listener of that event goes
   */
  remove(name, listener) {
    const kept = (this.#listeners.get(name) ?? []).filter((entry) => listener && entry.listener !== listener);
    this.#listeners.set(name, kept);
  }

  /**
   * Calls the listeners one after the other; one that throws does not keep the others from being called.
   *
   * @param {string} name
   * @param {unknown} [event]
   */
  emit(name, event) {
    for (const entry of this.#listeners.get(name) ?? []) {
      if (entry.once) this.remove(name, entry.listener);
      try {
        entry.listener(event);
      } catch (error) {
        reportError(error);
      }
    }
  }
}
