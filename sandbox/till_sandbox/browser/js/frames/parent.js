import { CONNECT, HELLO, Line } from "../shared/line.js";

/**
 * Greets the page that holds this frame and waits for its line. Only the parent is listened to, and only once.
 *
 * @param {Record<string, import("../shared/line.js").Handler>} handlers what the page may ask or tell
 * @returns {Promise<{line: Line, options: any}>} never settles in a window that is not framed
 */
export function connectToParent(handlers) {
  return new Promise((resolve) => {
    /** @param {MessageEvent} event */
    const receive = (event) => {
      if (event.source !== window.parent || event.data?.type !== CONNECT || !event.ports[0]) return;
      window.removeEventListener("message", receive);
      resolve({ line: new Line(event.ports[0], handlers), options: event.data.options });
    };
    window.addEventListener("message", receive);
    window.parent.postMessage(HELLO, "*");
  });
}
