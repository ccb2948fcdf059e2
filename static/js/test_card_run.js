// One run of a test card: an order of its own, its payment page in a window beside, the card tried there, and the verdict.
//
// The window shows the real payment page with its own script; this module presses its buttons and reads what it says.
// Both are of one origin, so it may. Where the payment service has no autofill for us, a person types and we only watch.

/** @import { TypedCard } from "./sandbox_autofill.js" */

import { pause } from "./order_status.js";
import { tryOnHostedPage } from "./test_card_hosted.js";
import { sandboxAutofill } from "./sandbox_autofill.js";

/**
 * @typedef {object} Scenario
 * @property {string} key
 * @property {TypedCard} card
 * @property {"order" | "payment" | "field"} page  where the shopper reads how it ended
 * @property {"complete" | "fail" | null} answer  to the bank's question
 * @property {boolean} refund
 *
 * @typedef {object} Run  an order to try a card on, and its addresses
 * @property {string} order
 * @property {string} pay
 * @property {string} page
 * @property {string} observed
 * @property {string} refund
 * @property {string} result
 *
 * @typedef {Record<string, string | string[] | boolean>} Facts  `read`, `events`, and the states
 * @typedef {{ passed: boolean, expected: Facts, got: Facts }} Verdict
 * @typedef {"placing" | "opening" | "paying" | "by-hand" | "waiting"} Step
 */

/** Why a run came to no verdict: `closed`, `late` or `refused`. */
export class Unfinished extends Error {}

const POLL_INTERVAL = 200; // milliseconds
const PAGE_TIMEOUT = 30_000;
const PAYMENT_TIMEOUT = 30_000;
const BY_HAND_TIMEOUT = 10 * 60_000;
const EVENTS_TIMEOUT = { sandbox: 20_000, stripe: 120_000 };

/**
 * @param {Scenario} scenario
 * @param {Window} shop  an open window to run it in
 * @param {{ place: string, token: string, hosted: boolean, sandbox: string, onStep: (step: Step) => void }} form
 *   `hosted`: on the payment service's own page, `sandbox`: where that is the sandbox's, its origin
 * @returns {Promise<{ run: Run, verdict: Verdict }>} rejects with Unfinished
 */
export async function runScenario(scenario, shop, { place, token, hosted, sandbox, onStep }) {
  onStep("placing");
  const asked = { scenario: scenario.key, csrf_token: token, ...(hosted && { hosted: "1" }) };
  const run = /** @type {Run} */ (await send(place, asked));
  onStep("opening");
  shop.location.assign(run.pay);
  const form = await untilReady(shop, run);
  if (hosted) onStep(sandbox ? "paying" : "by-hand");
  const sandboxed = hosted
    ? await tryOnHostedPage(scenario, shop, sandbox, (look) => until(shop, PAGE_TIMEOUT, look))
    : await tryCard(scenario, shop, form, run, onStep);
  onStep("waiting");
  const byHand = hosted ? BY_HAND_TIMEOUT : EVENTS_TIMEOUT.stripe; // on its own page we do not see when it was done
  await untilComplete(scenario, run, token, sandboxed ? EVENTS_TIMEOUT.sandbox : byHand);
  const words = hosted && scenario.page !== "order" ? "" : await read(scenario, shop, run);
  const verdict = /** @type {Verdict} */ (await send(run.result, { read: words, csrf_token: token }));
  return { run, verdict };
}

/** @param {Window} shop @param {Run} run */
function untilReady(shop, run) {
  return until(shop, PAGE_TIMEOUT, () => {
    const form = shop.location.pathname === run.pay ? formOf(shop) : null;
    return form?.dataset.state === "ready" ? form : null;
  });
}

/**
 * Pay with the card, or let a person do it; resolved when the page says how it ended.
 *
 * @param {Scenario} scenario @param {Window} shop @param {HTMLElement} form @param {Run} run @param {(step: Step) => void} onStep
 * @returns {Promise<boolean>} whether the sandbox's autofill did it
 */
async function tryCard(scenario, shop, form, run, onStep) {
  const autofill = sandboxAutofill(shop);
  let pressed = false;
  const watch = new MutationObserver(() => (pressed ||= form.dataset.state === "paying"));
  watch.observe(form, { attributes: true, attributeFilter: ["data-state"] });
  onStep(autofill ? "paying" : "by-hand");
  if (autofill) {
    await until(shop, PAGE_TIMEOUT, () => autofill.fill(scenario.card));
    await until(shop, PAGE_TIMEOUT, () => !form.querySelector(".StripeElement--empty"));
    form.querySelector("form")?.requestSubmit();
  }
  let answered = false;
  await until(shop, autofill ? PAYMENT_TIMEOUT : BY_HAND_TIMEOUT, () => {
    if (shop.location.pathname === run.page) return true;
    if (autofill && scenario.answer && !answered && form.dataset.state === "challenged") {
      answered = autofill.answer(scenario.answer);
    }
    return pressed && ["ready", "declined"].includes(form.dataset.state ?? "");
  });
  watch.disconnect();
  return autofill !== null;
}

/**
 * Until all that should happen has happened, or the time is over; the verdict says which.
 *
 * @param {Scenario} scenario @param {Run} run @param {string} token @param {number} timeout
 */
async function untilComplete(scenario, run, token, timeout) {
  const deadline = Date.now() + timeout;
  let refunded = !scenario.refund;
  while (Date.now() < deadline) {
    const { complete, payment } = await send(run.observed);
    if (complete) return;
    if (!refunded && payment === "paid") {
      refunded = true;
      await send(run.refund, { csrf_token: token });
    }
    await pause(2 * POLL_INTERVAL);
  }
}

/**
 * What the shopper reads. The order's page says what is so when it is sent, so it is asked for once more: the window may
 * have it from before the last event.
 *
 * @param {Scenario} scenario @param {Window} shop @param {Run} run
 */
async function read(scenario, shop, run) {
  if (scenario.page !== "order") {
    const place = scenario.page === "payment" ? "[data-part=message]" : "[data-part=card-error]";
    return /** @type {HTMLElement | null} */ (shop.document.querySelector(place))?.innerText ?? "";
  }
  const answer = await fetch(run.page).catch(() => null);
  if (!answer?.ok) throw new Unfinished("refused");
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  shop.location.assign(run.page);
  return page.querySelector("h1")?.textContent ?? "";
}

/** @param {Window} shop @returns {HTMLElement | null} */
function formOf(shop) {
  return shop.document.querySelector("[data-module=payment_form]");
}

/**
 * @template T
 * @param {Window} shop
 * @param {number} timeout  milliseconds
 * @param {() => T | null | undefined | false} look
 * @returns {Promise<T>} what `look` found; rejects with Unfinished
 */
async function until(shop, timeout, look) {
  for (const deadline = Date.now() + timeout; Date.now() < deadline; await pause(POLL_INTERVAL)) {
    if (shop.closed) throw new Unfinished("closed");
    const found = look();
    if (found) return found;
  }
  throw new Unfinished("late");
}

/**
 * @param {string} address
 * @param {Record<string, string>} [form]  sent as a form; asked for, where there is none
 * @returns {Promise<any>} rejects with Unfinished
 */
async function send(address, form) {
  const answer = await fetch(address, form && { method: "POST", body: new URLSearchParams(form) }).catch(() => null);
  if (!answer?.ok) throw new Unfinished("refused");
  return answer.status === 204 ? null : answer.json();
}
