/**
 * The page of a Checkout Session: checks what was typed, pays, shows the bank's page where it asks, and goes on to the
 * merchant's.
 */
import { showChallenge } from "../stripe/challenge.js";
import { CheckoutForm } from "./form.js";
import { orderIsSettled, watchOrder } from "./order.js";
import { askPage, tellPage } from "./page.js";
import { letOpenerTry } from "./trial.js";

/** @typedef {{redirect?: string, closed?: boolean, challenge?: string, error?: {field: string | null, message: string}}} Outcome */

const checkout = new CheckoutForm(/** @type {HTMLFormElement} */ (document.querySelector("form.PaymentForm-form")));

watchOrder(checkout);
checkout.onSubmit(payNow);
letOpenerTry(checkout, payNow);
window.addEventListener("pageshow", (event) => event.persisted && location.reload());

async function payNow() {
  if (!checkout.check()) return;
  checkout.setState("processing");
  await orderIsSettled();
  await follow(/** @type {Outcome} */ (await tellPage("pay", checkout.values())));
}

/** @param {Outcome} outcome */
async function follow(outcome) {
  if (outcome.redirect) {
    checkout.setState("success");
    location.assign(outcome.redirect);
  } else if (outcome.closed) {
    location.reload();
  } else if (outcome.challenge) {
    await showChallenge(outcome.challenge);
    await follow(/** @type {Outcome} */ (await askPage("outcome")));
  } else if (outcome.error) {
    checkout.setState("idle");
    checkout.showError(outcome.error.field, outcome.error.message);
  }
}
