/** The console: shows what the control API knows, every two seconds, and sends what its buttons and forms say. */

import { command, look } from "./control.js";
import { follow } from "./rows.js";

const EVERY = 2000;
const notice = /** @type {HTMLElement} */ (document.getElementById("notice"));

/** @type {import("./rows.js").Listing<any>[]} */
const LISTINGS = [
  {
    name: "faults",
    key: (fault) => String(fault.id),
    texts: (fault) => ({
      target: fault.target === "api" ? "API calls" : "webhooks",
      how: fault.target === "api" ? `${fault.kind}, ${fault.when} the work` : fault.kind,
      left: fault.remaining < 0 ? "until cleared" : String(fault.remaining),
      match: fault.match || "any",
    }),
  },
  {
    name: "challenges",
    key: (challenge) => challenge.id,
    texts: (challenge) => ({ ...challenge, created: time(challenge.created) }),
    actions: {
      complete: (challenge) => command(`/sandbox/challenges/${challenge.id}`, { outcome: "complete" }),
      fail: (challenge) => command(`/sandbox/challenges/${challenge.id}`, { outcome: "fail" }),
    },
    open: (challenge) => challenge.status === "pending",
  },
  {
    name: "payments",
    key: (payment) => payment.id,
    texts: (payment) => ({
      created: time(payment.created),
      id: payment.id,
      amount: `${payment.text} ${payment.currency.toUpperCase()}`,
      status: payment.status,
    }),
    actions: {
      refund: (payment) => command("/sandbox/refunds", { payment_intent: payment.id }),
      dispute: (payment) => command("/sandbox/disputes", { charge: payment.latest_charge }),
    },
    open: (payment) => payment.status === "succeeded",
  },
  {
    name: "deliveries",
    key: (delivery) => String(delivery.id),
    texts: (delivery) => ({
      created: time(delivery.created),
      type: delivery.type,
      url: delivery.url,
      status: delivery.status,
      answers: delivery.attempts.map((/** @type {any} */ attempt) => attempt.status ?? attempt.answer).join(", "),
    }),
    actions: {
      again: (delivery) => command(`/sandbox/deliveries/${delivery.id}/send`, { times: 1 }),
      twice: (delivery) => command(`/sandbox/deliveries/${delivery.id}/send`, { times: 2 }),
    },
  },
  {
    name: "events",
    key: (event) => event.id,
    texts: (event) => ({
      created: time(event.created),
      type: event.type,
      about: event.data.object.id,
      content: JSON.stringify(event, null, 2),
    }),
  },
];

async function refresh() {
  await Promise.all(
    LISTINGS.map(async (listing) => follow(listing, (await look(`/sandbox/${listing.name}`))[listing.name], run)),
  );
}

/**
 * Do something, say how it went, and show what has become of it.
 * @param {() => Promise<any>} action
 */
async function run(action) {
  try {
    await action();
    notice.textContent = "Done.";
    await refresh();
  } catch (error) {
    notice.textContent = error instanceof Error ? error.message : String(error);
  }
}

/** @param {HTMLFormElement} form */
function fault(form) {
  const said = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
  const numbers = ["times", "seconds"].filter((name) => name in said).map((name) => [name, Number(said[name])]);
  return { target: form.dataset.target, ...said, ...Object.fromEntries(numbers) };
}

/** @param {number} seconds */
function time(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString();
}

for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    run(() => command("/sandbox/faults", fault(form)));
  });
}
document.getElementById("clear-faults")?.addEventListener("click", () => {
  run(() => command("/sandbox/faults", {}, "DELETE"));
});
for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("[data-advance]"))) {
  button.addEventListener("click", () => run(() => command("/sandbox/clock", { advance: Number(button.dataset.advance) })));
}
document.getElementById("reset")?.addEventListener("click", (event) => {
  const button = /** @type {HTMLButtonElement} */ (event.currentTarget);
  if (confirm(button.dataset.confirm)) run(() => command("/sandbox/reset"));
});

/** The page goes on asking while it is looked at, and says so when nobody answers. */
async function keepLooking() {
  if (!document.hidden) {
    try {
      await refresh();
    } catch {
      notice.textContent = "The sandbox does not answer.";
    }
  }
  setTimeout(keepLooking, EVERY);
}

keepLooking();
