import { decideChallenge } from "./controller.js";
import { Frame, frameName, setStyles } from "./frame.js";

/** Above the highest z-index a page's own layers tend to use; the dialog is in the top layer where there is one. */
const ABOVE_EVERYTHING = "2147483647";

/** Decides the challenge that is shown, if one is. @type {((outcome: "complete" | "fail") => void) | null} */
let decideShown = null;

/**
 * Decides the challenge that is shown in the cardholder's place.
 *
 * @param {"complete" | "fail"} outcome
 * @returns {boolean} false when none is shown
 */
export function answerChallenge(outcome) {
  decideShown?.(outcome);
  return decideShown !== null;
}

/**
 * Shows the bank's 3-D Secure page in a dialog over the page until the cardholder has decided or walked away.
 * The API knows the outcome.
 *
 * @param {string} url of the bank's page
 * @returns {Promise<void>}
 */
export async function showChallenge(url) {
  const before = document.activeElement;
  const { dialog, frame, decided } = drawDialog(url);
  const giveBack = open(dialog);
  frame.iframe.focus();
  const outcome = await decided;
  if (outcome) await decideChallenge(url, outcome);
  frame.remove();
  dialog.remove();
  giveBack();
  if (before instanceof HTMLElement) before.focus();
}

/**
 * @param {string} url of the bank's page
 * @returns {{dialog: HTMLElement, frame: Frame, decided: Promise<"complete" | "fail" | null>}} `decided` resolves with
 *   what is still to be sent to the bank: null once it was decided on its page, fail when the cardholder closed the
 *   dialog or the challenge could not be shown
 */
function drawDialog(url) {
  /** @type {(outcome: "complete" | "fail" | null) => void} */
  let resolveDecided = () => undefined;
  /** @type {Promise<"complete" | "fail" | null>} */
  const decided = new Promise((resolve) => (resolveDecided = resolve));
  const close = closeButton();
  /** @param {"complete" | "fail" | null} outcome */
  const decide = (outcome) => {
    decideShown = null;
    close.disabled = true;
    resolveDecided(outcome);
  };
  decideShown = decide;
  close.addEventListener("click", () => decide("fail"));
  const frame = new Frame({
    page: "/v3/three-ds-2-challenge.html",
    name: frameName("__privateStripeFrame"),
    title: "3D Secure 2 authentication challenge",
    options: () => ({ url }),
    handlers: { decided: () => decide(null) },
    onConnect: () => undefined,
    onFail: () => decide("fail"),
  });
  setStyles(frame.iframe, {
    "grid-area": "1 / 1",
    border: "none",
    width: "100%",
    height: "100%",
    display: "block",
    "border-radius": "16px",
    "box-shadow": "0 24px 64px rgb(0 0 0 / 0.35)",
    "background-color": "Canvas",
    "color-scheme": "light dark",
  });
  const dialog = document.createElement("div");
  dialog.setAttribute("role", "dialog");
  dialog.setAttribute("aria-modal", "true");
  dialog.setAttribute("aria-label", "3D Secure authentication");
  dialog.setAttribute("popover", "manual");
  setStyles(dialog, {
    position: "fixed",
    inset: "0",
    width: "100%",
    height: "100%",
    margin: "0",
    padding: "0",
    border: "none",
    display: "grid",
    "grid-template": "min(36rem, calc(100dvh - 1.5rem)) / min(26rem, calc(100vw - 1.5rem))",
    "place-content": "center",
    "box-sizing": "border-box",
    overflow: "auto",
    background: "rgb(10 18 33 / 0.6)",
    "color-scheme": "light dark",
    "z-index": ABOVE_EVERYTHING,
  });
  dialog.append(close, frame.iframe);
  return { dialog, frame, decided };
}

/**
 * Puts the dialog over the page, where Stripe has it: in a div that is the first child of the body. In a page whose own
 * modal dialog is open it stands inside that one, because the browser lets nothing else be used.
 *
 * @param {HTMLElement} dialog
 * @returns {() => void} lets the page be used again
 */
function open(dialog) {
  const modal = [...document.querySelectorAll("dialog:modal")].at(-1);
  const place = modal ?? document.body;
  const others = [...place.children].filter((child) => child instanceof HTMLElement && !child.inert);
  place.prepend(dialog);
  dialog.showPopover?.();
  for (const other of others) other.toggleAttribute("inert", true);
  return () => {
    for (const other of others) other.toggleAttribute("inert", false);
  };
}

/** @returns {HTMLButtonElement} */
function closeButton() {
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("aria-label", "Cancel authentication");
  button.textContent = "\u2715";
  setStyles(button, {
    "grid-area": "1 / 1",
    "place-self": "start end",
    margin: "16px 12px 0 0",
    width: "44px",
    height: "44px",
    padding: "0",
    border: "none",
    "border-radius": "22px",
    background: "transparent",
    color: "CanvasText",
    font: "16px/44px system-ui, sans-serif",
    cursor: "pointer",
    "z-index": "1",
  });
  return button;
}
