/**
 * The channel between the page and one of the sandbox's frames, over a MessagePort: requests, which get a response, and
 * notifications, which do not.
 *
 * Once a port has been handed over, nobody else can send on it, so neither side needs to check origins again.
 *
 * @typedef {(payload: any) => unknown} Handler
 *   Its return value, or what its promise resolves to, is the response to a request; a notification has none.
 */

/** What a frame says first, to "*", because it does not know its parent's origin; it carries nothing else. */
export const HELLO = "stripe-sandbox:hello";

/** What the page sends back to that frame alone, with the port of their channel and the frame's options. */
export const CONNECT = "stripe-sandbox:connect";

/** What the 3-D Secure page says to the frame around it, once the cardholder has decided. */
export const AUTHENTICATED = "stripe-sandbox:authenticated";

export class FrameChannel {
  /** @type {Map<number, {resolve: (result: any) => void, reject: (reason: Error) => void}>} */
  #pending = new Map();
  #lastId = 0;
  #port;
  #handlers;

  /**
   * @param {MessagePort} port
   * @param {Record<string, Handler>} handlers by the name of a request or a notification
   */
  constructor(port, handlers) {
    this.#port = port;
    this.#handlers = handlers;
    port.onmessage = (event) => this.#receive(event.data);
  }

  /**
   * @param {string} name
   * @param {unknown} [payload] anything that can be structurally cloned
   * @returns {Promise<any>} the other end's response; rejected when its handler failed or the channel was closed
   */
  request(name, payload) {
    const id = ++this.#lastId;
    this.#port.postMessage({ name, payload, id });
    return new Promise((resolve, reject) => this.#pending.set(id, { resolve, reject }));
  }

  /**
   * @param {string} name
   * @param {unknown} [payload]
   */
  notify(name, payload) {
    this.#port.postMessage({ name, payload });
  }

  /** Ends the channel; every request without a response is rejected. */
  close() {
    this.#port.close();
    for (const { reject } of this.#pending.values()) reject(new Error("The frame has gone."));
    this.#pending.clear();
  }

  /**
   * @param {{name?: string, payload?: unknown, id?: number} &
   *   {responseTo?: number, result?: unknown, failure?: string}} message a request, a notification or a response
   */
  async #receive(message) {
    if (message.responseTo !== undefined) {
      const pending = this.#pending.get(message.responseTo);
      this.#pending.delete(message.responseTo);
      if (message.failure === undefined) pending?.resolve(message.result);
      else pending?.reject(new Error(message.failure));
      return;
    }
    const handler = this.#handlers[message.name ?? ""];
    if (message.id === undefined) {
      handler?.(message.payload);
      return;
    }
    try {
      if (!handler) throw new Error(`There is no handler for ${message.name}.`);
      this.#port.postMessage({ responseTo: message.id, result: await handler(message.payload) });
    } catch (error) {
      this.#port.postMessage({ responseTo: message.id, failure: String(error) });
    }
  }
}
