/**
 * The frame around the bank's 3-D Secure page. It shows that page, and notifies the shop's page when the cardholder
 * has decided there.
 */
import { AUTHENTICATED } from "../shared/frame-channel.js";
import { connectToParent } from "./parent.js";

const bank = /** @type {HTMLIFrameElement} */ (document.getElementById("challengeFrame"));
const loading = /** @type {HTMLElement} */ (document.querySelector(".LightboxModalLoadingIndicator"));

showChallenge();

async function showChallenge() {
  const { channel, options } = await connectToParent({});
  window.addEventListener("message", (event) => {
    if (event.source !== bank.contentWindow || event.origin !== location.origin || event.data !== AUTHENTICATED) return;
    channel.notify("decided");
  });
  bank.addEventListener("load", () => {
    loading.hidden = true;
    bank.hidden = false;
    bank.focus();
  });
  const { pathname, search } = new URL(options.url);
  bank.src = pathname + search;
}
