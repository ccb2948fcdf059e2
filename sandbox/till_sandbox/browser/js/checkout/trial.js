import { answerChallenge } from "../stripe/challenge.js";

/** Milliseconds between two looks whether the bank asks. */
const LOOKS = 100;

/**
 * Lets the window that has opened this page try a card on it, by a message `{sandbox: "pay", card: {number, expiry, cvc,
 * postal}, answer: "complete" | "fail" | null}`. It is told `{sandbox: "paying"}` at once, and `{sandbox: "said", text}`
 * when the page says what is wrong. Stripe's own page takes no orders from anybody.
 *
 * @param {import("./form.js").CheckoutForm} checkout
 * @param {() => Promise<void>} pay
 */
export function letOpenerTry(checkout, pay) {
  let trying = false;
  addEventListener("message", async ({ data, source, origin }) => {
    if (data?.sandbox !== "pay" || source === null || source !== window.opener || trying) return;
    trying = true;
    const opener = /** @type {Window} */ (source);
    opener.postMessage({ sandbox: "paying" }, origin);
    checkout.type(data.card);
    const asked = data.answer ? setInterval(() => answerChallenge(data.answer) && clearInterval(asked), LOOKS) : 0;
    await pay();
    clearInterval(asked);
    const text = checkout.error;
    if (text) opener.postMessage({ sandbox: "said", text }, origin);
    trying = false;
  });
}
