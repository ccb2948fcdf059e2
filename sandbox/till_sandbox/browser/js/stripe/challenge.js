import { AUTHENTICATED } from "../shared/line.js";
import { answerAuthentication } from "./controller.js";
import { frameName, setStyles } from "./frame.js";

/** Above the highest z-index a page's own layers tend to use; the dialog is in the top layer where there is one. */
const ABOVE_EVERYTHING = "2147483647";

/** Answers the question that is open, if one is. @type {((outcome: "complete" | "fail") => void) | null} */
let answerOpen = null;

/**
 * Answers the bank in the cardholder's place.
 *
 * @param {"complete" | "fail"} outcome
 * @returns {boolean} false when the bank asks nothing now
 */
export function answerChallenge(outcome) {
  answerOpen?.(outcome);
  return answerOpen !== null;
}

/**
 * Shows the bank's 3-D Secure page in a dialog over the page until the cardholder has decided or walked away.
 * What came of it is for the API to say.
 *
 * @param {string} url of the bank's page
 * @returns {Promise<void>}
 */
export async function authenticate(url) {
  const dialog = document.createElement("dialog");
  const { iframe, close } = drawDialog(dialog, url);
  document.body.append(dialog);
  dialog.showModal();
  iframe.focus();
  const answer = await untilDecided(dialog, iframe, close, new URL(url).origin);
  if (answer) await answerAuthentication(url, answer);
  // Closing gives the focus back to where it was; removing alone would not.
  dialog.close();
  dialog.remove();
}

/**
 * @param {HTMLDialogElement} dialog
 * @param {HTMLIFrameElement} iframe
 * @param {HTMLButtonElement} close
 * @param {string} origin of the bank's page
 * @returns {Promise<"complete" | "fail" | null>} what the bank has still to be told: null once it was told on its page,
 *   fail when the cardholder closed the dialog
 */
function untilDecided(dialog, iframe, close, origin) {
  return new Promise((resolve) => {
    /** @param {MessageEvent} event */
    const receive = (event) => {
      if (event.source !== iframe.contentWindow || event.origin !== origin || event.data !== AUTHENTICATED) return;
      settle(null);
    };
    /** @param {"complete" | "fail" | null} answer */
    const settle = (answer) => {
      window.removeEventListener("message", receive);
      answerOpen = null;
      close.disabled = true;
      resolve(answer);
    };
    answerOpen = settle;
    window.addEventListener("message", receive);
    close.addEventListener("click", () => settle("fail"));
    // Escape does not cancel a payment: only the labelled button does.
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    dialog.addEventListener("keydown", (event) => event.key === "Escape" && event.preventDefault());
  });
}

/**
 * @param {HTMLDialogElement} dialog
 * @param {string} url
 */
function drawDialog(dialog, url) {
  dialog.setAttribute("aria-label", "3D Secure authentication");
  dialog.setAttribute("aria-modal", "true");
  dialog.setAttribute("closedby", "none");
  setStyles(dialog, {
    position: "fixed",
    inset: "0",
    width: "100%",
    height: "100%",
    "max-width": "none",
    "max-height": "none",
    margin: "0",
    padding: "0",
    border: "none",
    outline: "none",
    display: "grid",
    "place-items": "center",
    "box-sizing": "border-box",
    overflow: "auto",
    background: "rgb(10 18 33 / 0.6)",
    "z-index": ABOVE_EVERYTHING,
  });
  const panel = document.createElement("div");
  setStyles(panel, {
    position: "relative",
    width: "min(26rem, calc(100vw - 1.5rem))",
    height: "min(36rem, calc(100dvh - 1.5rem))",
    "border-radius": "16px",
    overflow: "hidden",
    "box-shadow": "0 24px 64px rgb(0 0 0 / 0.35)",
    "background-color": "Canvas",
    "color-scheme": "light dark",
  });
  const iframe = document.createElement("iframe");
  iframe.name = frameName("__privateStripeFrame");
  iframe.title = "3D Secure 2 authentication challenge";
  iframe.setAttribute("frameborder", "0");
  iframe.src = url;
  setStyles(iframe, { border: "none", width: "100%", height: "100%", display: "block", "color-scheme": "light dark" });
  const close = closeButton();
  panel.append(close, iframe);
  dialog.append(panel);
  return { iframe, close };
}

/** @returns {HTMLButtonElement} */
function closeButton() {
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("aria-label", "Cancel authentication");
  button.textContent = "\u2715";
  setStyles(button, {
    position: "absolute",
    top: "16px",
    right: "12px",
    width: "44px",
    height: "44px",
    margin: "0",
    padding: "0",
    border: "none",
    "border-radius": "22px",
    background: "transparent",
    color: "CanvasText",
    "color-scheme": "light dark",
    font: "16px/44px system-ui, sans-serif",
    cursor: "pointer",
    "z-index": "1",
  });
  return button;
}
