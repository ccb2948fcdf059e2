/** What the console lists, what each row shows, and what can be done with it. */

import { command, read } from "./control.js";
import { copyOf, setTexts } from "./list.js";
import { formatCode, formatDuration, formatJson, formatTime, withoutSecrets } from "./text.js";

/**
 * @param {{ severalAccounts: () => boolean, followPayment: (id: string) => void }} page
 * @returns {import("./list.js").Listing<any>[]}
 */
export function listings({ severalAccounts, followPayment }) {
  /** @param {{ account: string }} item */
  const account = (item) => (severalAccounts() ? item.account : "");
  return [
    {
      name: "faults",
      key: (fault) => String(fault.id),
      title: describeFault,
      texts: (fault) => ({ what: describeFault(fault) }),
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
        status: { text: formatCode(payment.status), tone: toneOf(payment) },
        reason: reasonOf(payment),
        created: time(payment.created),
      }),
      details: (payment, row) => setTexts(row, { content: formatJson(withoutText(payment)) }),
      actions: {
        refund: async (payment) => {
          const { refund } = await command("/sandbox/refunds", { payment_intent: payment.id });
          return `Refunded: ${refund.id}, ${refund.amount} of ${payment.amount}.`;
        },
        refund_part: async (payment, form) => {
          const reason = String(form.get("reason"));
          const body = { payment_intent: payment.id, amount: Number(form.get("amount")), ...(reason && { reason }) };
          const { refund } = await command("/sandbox/refunds", body);
          return `Refunded: ${refund.id}, ${refund.amount} of ${payment.amount}.`;
        },
        dispute: (payment) => dispute(payment, "fraudulent"),
        dispute_as: (payment, form) => dispute(payment, String(form.get("kind"))),
        follow: async (payment) => {
          followPayment(payment.id);
          return `Requests, events and deliveries of ${payment.id}.`;
        },
      },
      open: (payment) => payment.status === "succeeded",
    },
    {
      name: "checkout_sessions",
      key: (session) => session.id,
      title: (session) => `${sessionAmount(session)}, ${session.id}`,
      texts: (session) => ({
        id: shortened(session.id),
        account: account(session),
        amount: sessionAmount(session),
        status: { text: session.status, tone: { complete: "good", open: "wait" }[/** @type {string} */ (session.status)] ?? "calm" },
        reason: formatCode(session.payment_status),
        created: time(session.created),
        page: { text: session.url ? "Open its page" : "", href: session.url ?? "" },
      }),
      details: (session, row) => setTexts(row, { content: formatJson(withoutText(session)) }),
      actions: {
        pay: async (session) => {
          const paid = await command(`/sandbox/checkout_sessions/${session.id}/pay`, {});
          return `Paid: ${paid.session.id}.`;
        },
      },
      open: (session) => session.status === "open" && session.mode === "payment",
    },
    {
      name: "requests",
      key: (request) => request.id,
      title: (request) => `${request.method} ${request.path}`,
      texts: (request) => ({
        method: request.method,
        path: request.path,
        account: account({ account: request.account ?? "" }),
        status: { text: resultOf(request), tone: request.status < 400 && !request.fault ? "good" : "bad" },
        reason: request.error ? (request.error.code ?? request.error.type) : (request.answer?.id ?? ""),
        created: time(request.created),
      }),
      details: (request, row) => showRequest(request, row),
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
        abandon: (challenge) => decide(challenge, "abandon", "Abandoned: nobody will decide it any more."),
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
      details: (delivery, row) => void showDelivery(delivery, row),
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
      details: ({ account: _account, ...event }, row) => setTexts(row, { content: formatJson(event) }),
    },
  ];
}

/** What is to go wrong, as a sentence. @param {any} fault */
export function describeFault(fault) {
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
  return `Disputed: ${opened.id}, ${formatCode(opened.reason)}.`;
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

/** What was sent, what came back and why, and what followed. @param {any} request @param {HTMLElement} row */
function showRequest(request, row) {
  const { error, events } = request;
  const sent = [
    `${request.id}, ${Math.round(request.seconds * 1000)} ms`,
    request.key ? `with a ${request.key} key` : "without a good key",
    request.idempotency_key ? `idempotency key ${request.idempotency_key}` : "",
    request.replayed ? "answered from the first request with that key" : "",
    request.fault ? `fault: ${formatCode(request.fault)}` : "",
  ];
  setTexts(row, {
    sent: `${sent.filter(Boolean).join(" · ")}.`,
    refused: error ? `${error.message}${error.param ? ` (${error.param})` : ""}` : "",
    parameters: request.parameters ? formatJson(request.parameters) : "None, or not readable.",
    answer: request.answer ? formatJson(request.answer) : "None.",
  });
  const list = /** @type {HTMLElement} */ (row.querySelector("[data-of=events]"));
  if (list.children.length === events.length) return;
  list.replaceChildren(
    ...events.map((/** @type {{ id: string, type: string }} */ { id, type }) => {
      const line = copyOf("followed");
      setTexts(line, { type, id });
      return line;
    }),
  );
}

/** @param {any} request */
function resultOf({ status, fault }) {
  if (status === null) return fault ? formatCode(fault) : "no answer";
  return fault ? `${status}, then ${formatCode(fault)}` : String(status);
}

/** The attempts with their answers, and the request, which is asked for once. @param {any} delivery @param {HTMLElement} row */
async function showDelivery(delivery, row) {
  const list = /** @type {HTMLElement} */ (row.querySelector("[data-of=attempts]"));
  for (const attempt of delivery.attempts.slice(list.children.length)) {
    const line = copyOf("attempt");
    const arrived = attempt.status >= 200 && attempt.status < 300;
    setTexts(line, {
      at: time(attempt.at),
      status: { text: String(attempt.status ?? "no answer"), tone: arrived ? "good" : "bad" },
      seconds: `${Math.round(attempt.seconds * 1000)} ms`,
      answer: withoutSecrets(attempt.answer) || "(empty)",
    });
    list.append(line);
  }
  const next = delivery.attempts.length ? "The next one" : "The first one";
  setTexts(row, { next: delivery.status === "pending" ? `${next} at ${formatTime(delivery.due_at)}.` : "" });
  if (row.querySelector("[data-of=content]")?.textContent) return;
  const { account: _account, ...event } = (await read(`/sandbox/events/${delivery.event}`)).event;
  const head = `POST ${delivery.url}\nContent-Type: application/json; charset=utf-8\nStripe-Signature: t=…,v1=…  (anew for each attempt)`;
  setTexts(row, { content: `${head}\n\n${formatJson(event)}` });
}

/** @param {any} payment */
function amountOf(payment) {
  return `${payment.text} ${payment.currency.toUpperCase()}`;
}

/** What there is to pay, or that it is for something else. @param {any} session */
function sessionAmount(session) {
  return session.amount_total === null ? session.mode : `${session.text} ${session.currency.toUpperCase()}`;
}

/** The beginning of an id of 66 characters. @param {string} id */
function shortened(id) {
  return `${id.slice(0, 20)}…`;
}

/** Why it has its status, in a few words. @param {any} payment */
function reasonOf(payment) {
  const error = payment.last_payment_error;
  return formatCode(error?.decline_code ?? error?.code ?? payment.cancellation_reason ?? "");
}

/** Without what the control API added. @param {any} payment */
function withoutText({ text: _text, account: _account, ...payment }) {
  return payment;
}

/** @param {any} item */
function toneOf(item) {
  if (["succeeded", "complete", "delivered"].includes(item.status)) return "good";
  if (item.status === "failed" || item.last_payment_error) return "bad";
  return ["requires_action", "pending", "processing"].includes(item.status) ? "wait" : "calm";
}

/** @param {number} at */
function time(at) {
  return { text: formatTime(at), at };
}

/** How far the sandbox's time is from this machine's. @param {number} ahead  seconds */
export function aheadOf(ahead) {
  return ahead > 0 ? `${formatDuration(ahead)} ahead` : "as on this machine";
}
