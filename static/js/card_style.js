// The card field is a frame of the payment service; it wears the page's tokens, light or dark.

/** @import { StripeElementStyle } from "@stripe/stripe-js" */

/** @returns {StripeElementStyle} */
export function cardStyle() {
  const tokens = getComputedStyle(document.documentElement);
  /** @param {string} name */
  const token = (name) => tokens.getPropertyValue(name).trim();
  return {
    base: {
      color: token("--ink"),
      iconColor: token("--brand"),
      fontFamily: token("--sans"),
      fontSize: "16px", // smaller, and a telephone zooms in when the field is touched
      fontSmoothing: "antialiased",
      lineHeight: "26px",
      "::placeholder": { color: token("--ink-faint") },
      "::selection": { backgroundColor: token("--gold") },
      ":disabled": { color: token("--ink-soft") },
      ":-webkit-autofill": { color: token("--ink") },
    },
    invalid: { color: token("--bad"), iconColor: token("--bad") },
  };
}

/** Call `restyle` whenever the page turns light or dark. @param {(style: StripeElementStyle) => void} restyle */
export function onSchemeChange(restyle) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => restyle(cardStyle()));
}
