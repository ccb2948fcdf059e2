import { CONNECT, FrameChannel, HELLO } from "../shared/frame-channel.js";

/**
 * Greets the page that holds this frame and waits for its channel. Only the parent is listened to.
 *
 * @param {Record<string, import("../shared/frame-channel.js").Handler>} handlers what the page may request, or notify
 *   this frame of
 * @returns {Promise<{channel: FrameChannel, options: any}>} stays pending in a window that is not framed
 */
export function connectToParent(handlers) {
  return new Promise((resolve) => {
    /** @param {MessageEvent} event */
    const receive = (event) => {
      if (event.source !== window.parent || event.data?.type !== CONNECT || !event.ports[0]) return;
      window.removeEventListener("message", receive);
      resolve({ channel: new FrameChannel(event.ports[0], handlers), options: event.data.options });
    };
    window.addEventListener("message", receive);
    window.parent.postMessage(HELLO, "*");
  });
}
