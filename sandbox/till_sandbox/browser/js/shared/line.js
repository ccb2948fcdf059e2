/**
 * A line between two windows over a MessagePort: questions that are answered, and notices that are not.
 *
 * Once a port has been handed over, nobody else can speak on it, so neither side needs to check origins again.
 *
 * @typedef {(payload: any) => unknown} Handler
 *   Its return value, or what its promise settles to, answers a question; it is dropped for a notice.
 */

/** What a frame says first, to "*", because it does not know its parent's origin; it carries nothing else. */
export const HELLO = "stripe-sandbox:hello";

/** What the page answers to that frame alone, with the port of their line and the frame's options. */
export const CONNECT = "stripe-sandbox:connect";

/** What the 3-D Secure page says to the window that holds it, once the cardholder has decided. */
export const AUTHENTICATED = "stripe-sandbox:authenticated";

export class Line {
  /** @type {Map<number, {resolve: (result: any) => void, reject: (reason: Error) => void}>} */
  #waiting = new Map();
  #asked = 0;
  #port;
  #handlers;

  /**
   * @param {MessagePort} port
   * @param {Record<string, Handler>} handlers what may be asked of, or told to, this end
   */
  constructor(port, handlers) {
    this.#port = port;
    this.#handlers = handlers;
    port.onmessage = (event) => this.#receive(event.data);
  }

  /**
   * @param {string} name
   * @param {unknown} [payload] anything that can be structurally cloned
   * @returns {Promise<any>} the other end's answer; rejected when its handler failed or the line was closed
   */
  ask(name, payload) {
    const id = ++this.#asked;
    this.#port.postMessage({ name, payload, id });
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  /**
   * @param {string} name
   * @param {unknown} [payload]
   */
  tell(name, payload) {
    this.#port.postMessage({ name, payload });
  }

  /** Ends the line; every question still open is rejected. */
  close() {
    this.#port.close();
    for (const { reject } of this.#waiting.values()) reject(new Error("The frame has gone."));
    this.#waiting.clear();
  }

  /**
   * @param {{name?: string, payload?: unknown, id?: number} &
   *   {answers?: number, result?: unknown, failure?: string}} message a question or notice, or an answer
   */
  async #receive(message) {
    if (message.answers !== undefined) {
      const waiting = this.#waiting.get(message.answers);
      this.#waiting.delete(message.answers);
      if (message.failure === undefined) waiting?.resolve(message.result);
      else waiting?.reject(new Error(message.failure));
      return;
    }
    const handler = this.#handlers[message.name ?? ""];
    if (message.id === undefined) {
      handler?.(message.payload);
      return;
    }
    try {
      if (!handler) throw new Error(`Nobody answers to ${message.name}.`);
      this.#port.postMessage({ answers: message.id, result: await handler(message.payload) });
    } catch (error) {
      this.#port.postMessage({ answers: message.id, failure: String(error) });
    }
  }
}
