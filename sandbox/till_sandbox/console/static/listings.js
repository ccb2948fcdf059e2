/** What the console lists, what each row says, and what can be done with it. */

import { command, look } from "./control.js";
import { copyOf, say } from "./rows.js";
import { duration, moment, withoutSecrets, written } from "./words.js";

/**
 * @param {{ severalAccounts: () => boolean, followPayment: (id: string) => void }} page
 * @returns {import("./rows.js").Listing<any>[]}
 */
export function listings({ severalAccounts, followPayment }) {
  /** @param {{ account: string }} thing */
  const account = (thing) => (severalAccounts() ? thing.account : "");
  return [
    {
      name: "faults",
      key: (fault) => String(fault.id),
      title: described,
      texts: (fault) => ({ what: described(fault) }),
      actions: {
        take_back: async (fault) => {
          await command(`/sandbox/faults/${fault.id}`, {}, "DELETE");
          return "Taken back.";
        },
      },
    },
    {
      name: "payments",
      key: (payment) => payment.id,
      title: (payment) => `${amountOf(payment)}, ${payment.id}`,
      texts: (payment) => ({
        id: payment.id,
        account: account(payment),
        amount: amountOf(payment),
        status: { text: spoken(payment.status), tone: toneOf(payment) },
        reason: reasonOf(payment),
        created: time(payment.created),
      }),
      inside: (payment, row) => say(row, { content: written(withoutText(payment)) }),
      actions: {
        refund: async (payment) => {
          const { refund } = await command("/sandbox/refunds", { payment_intent: payment.id });
          return `Refunded: ${refund.id}, ${refund.amount} of ${payment.amount}.`;
        },
        refund_part: async (payment, said) => {
          const reason = String(said.get("reason"));
          const asked = { payment_intent: payment.id, amount: Number(said.get("amount")), ...(reason && { reason }) };
          const { refund } = await command("/sandbox/refunds", asked);
          return `Refunded: ${refund.id}, ${refund.amount} of ${payment.amount}.`;
        },
        dispute: (payment) => dispute(payment, "fraudulent"),
        dispute_as: (payment, said) => dispute(payment, String(said.get("kind"))),
        follow: async (payment) => {
          followPayment(payment.id);
          return `Events and deliveries of ${payment.id}.`;
        },
      },
      open: (payment) => payment.status === "succeeded",
    },
    {
      name: "challenges",
      key: (challenge) => challenge.id,
      title: (challenge) => challenge.intent,
      texts: (challenge) => ({
        intent: challenge.intent,
        account: account(challenge),
        status: { text: challenge.status, tone: toneOf(challenge) },
        created: time(challenge.created),
      }),
      actions: {
        complete: (challenge) => decide(challenge, "complete", "Completed: the payment goes on."),
        fail: (challenge) => decide(challenge, "fail", "Failed: the payment needs another card."),
        abandon: (challenge) => decide(challenge, "abandon", "Abandoned: nobody answers the bank any more."),
      },
      open: (challenge) => challenge.status === "pending",
    },
    {
      name: "deliveries",
      key: (delivery) => String(delivery.id),
      title: (delivery) => `${delivery.type}, delivery ${delivery.id}`,
      texts: (delivery) => ({
        type: delivery.type,
        account: account(delivery),
        url: delivery.url,
        status: { text: delivery.status, tone: toneOf(delivery) },
        answers: delivery.attempts.map((/** @type {any} */ attempt) => attempt.status ?? attempt.answer).join(", "),
        created: time(delivery.created),
      }),
      inside: (delivery, row) => void showDelivery(delivery, row),
      actions: {
        again: (delivery) => send(delivery, {}, "Sent again."),
        twice: (delivery) => send(delivery, { times: 2 }, "Sent twice."),
        late: (delivery) => send(delivery, { way: "delay", seconds: 10 }, "It goes out in 10 seconds."),
        overtaken: (delivery) => send(delivery, { way: "reorder" }, "It waits 2 seconds for what comes next."),
        wrongly: (delivery) => send(delivery, { way: "bad_signature" }, "Sent with a wrong signature."),
        lose: (delivery) => send(delivery, { way: "drop" }, "Lost on its way."),
      },
    },
    {
      name: "events",
      key: (event) => event.id,
      title: (event) => event.id,
      texts: (event) => ({
        type: event.type,
        account: account(event),
        about: event.data.object.id,
        created: time(event.created),
      }),
      inside: ({ account: _account, ...event }, row) => say(row, { content: written(event) }),
    },
  ];
}

/** What is to go wrong, as a sentence. @param {any} fault */
export function described(fault) {
  const calls = fault.target === "api";
  const many = fault.remaining < 0 || fault.remaining > 1;
  const which = fault.remaining < 0 ? "All" : fault.remaining > 1 ? `The next ${fault.remaining}` : "The next";
  const what = calls ? (many ? "API calls" : "API call") : many ? "webhooks" : "webhook";
  const of = fault.match ? ` (${fault.match})` : "";
  const happens = {
    error: "500",
    rate_limit: "429",
    reset: "connection reset",
    timeout: `time-out after ${fault.seconds} s`,
    drop: "lost",
    delay: `${fault.seconds} s late`,
    double: "sent twice",
    reorder: "overtaken by what comes next",
    bad_signature: "signed wrongly",
  }[/** @type {string} */ (fault.kind)];
  const some = fault.probability < 1 ? `, ${Math.round(fault.probability * 100)} % of them` : "";
  return `${which} ${what}${of}: ${happens}${calls ? `, ${fault.when} the work` : ""}${some}`;
}

/** @param {any} payment @param {string} kind */
async function dispute(payment, kind) {
  const { dispute: opened } = await command("/sandbox/disputes", { charge: payment.latest_charge, kind });
  return `Disputed: ${opened.id}, ${spoken(opened.reason)}.`;
}

/** @param {any} challenge @param {string} outcome @param {string} done */
async function decide(challenge, outcome, done) {
  await command(`/sandbox/challenges/${challenge.id}`, { outcome });
  return done;
}

/** @param {any} delivery @param {object} how @param {string} done */
async function send(delivery, how, done) {
  await command(`/sandbox/deliveries/${delivery.id}/send`, how);
  return done;
}

/** The attempts with their answers, and the request, which is asked for once. @param {any} delivery @param {HTMLElement} row */
async function showDelivery(delivery, row) {
  const list = /** @type {HTMLElement} */ (row.querySelector("[data-of=attempts]"));
  for (const attempt of delivery.attempts.slice(list.children.length)) {
    const line = copyOf("attempt");
    const arrived = attempt.status >= 200 && attempt.status < 300;
    say(line, {
      at: time(attempt.at),
      status: { text: String(attempt.status ?? "no answer"), tone: arrived ? "good" : "bad" },
      seconds: `${Math.round(attempt.seconds * 1000)} ms`,
      answer: withoutSecrets(attempt.answer) || "(empty)",
    });
    list.append(line);
  }
  const next = delivery.attempts.length ? "The next one" : "The first one";
  say(row, { next: delivery.status === "pending" ? `${next} at ${moment(delivery.due_at)}.` : "" });
  if (row.querySelector("[data-of=content]")?.textContent) return;
  const { account: _account, ...event } = (await look(`/sandbox/events/${delivery.event}`)).event;
  const head = `POST ${delivery.url}\nContent-Type: application/json; charset=utf-8\nStripe-Signature: t=…,v1=…  (anew for each attempt)`;
  say(row, { content: `${head}\n\n${written(event)}` });
}

/** @param {any} payment */
function amountOf(payment) {
  return `${payment.text} ${payment.currency.toUpperCase()}`;
}

/** Why it stands where it stands, in a word. @param {any} payment */
function reasonOf(payment) {
  const error = payment.last_payment_error;
  return spoken(error?.decline_code ?? error?.code ?? payment.cancellation_reason ?? "");
}

/** Without what the control API added. @param {any} payment */
function withoutText({ text: _text, account: _account, ...payment }) {
  return payment;
}

/** @param {any} thing */
function toneOf(thing) {
  if (["succeeded", "complete", "delivered"].includes(thing.status)) return "good";
  if (thing.status === "failed" || thing.last_payment_error) return "bad";
  return ["requires_action", "pending", "processing"].includes(thing.status) ? "wait" : "calm";
}

/** @param {string} code */
function spoken(code) {
  return code.replaceAll("_", " ");
}

/** @param {number} at */
function time(at) {
  return { text: moment(at), at };
}

/** How far the sandbox's time is from this machine's. @param {number} ahead  seconds */
export function aheadOf(ahead) {
  return ahead > 0 ? `${duration(ahead)} ahead` : "as on this machine";
}
