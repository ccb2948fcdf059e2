// The official Node.js library on a running sandbox, told where that is as the sandbox's README says.
// Run with the sandbox's port in SANDBOX_PORT; node:test reports each check by its name.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import Stripe from "stripe";

const port = Number(process.env.SANDBOX_PORT);
const stripe = new Stripe("sk_test_node", { host: "127.0.0.1", port, protocol: "http", maxNetworkRetries: 0 });

/** @type {import("stripe").Stripe.PaymentIntentCreateParams} */
const CARD_PAYMENT = {
  amount: 4900,
  currency: "usd",
  automatic_payment_methods: { enabled: true, allow_redirects: "never" },
};

/** @type {{url: string, next: (type: string) => Promise<Delivery>, close: () => void}} */
let webhooks;

before(async () => {
  webhooks = await listen();
});

after(() => webhooks.close());

test("creates a payment, confirms it and finds it again", async () => {
  const created = await stripe.paymentIntents.create({ ...CARD_PAYMENT, metadata: { order: "1001" } });
  assert.equal(created.status, "requires_payment_method");

  const confirmed = await stripe.paymentIntents.confirm(created.id, { payment_method: "pm_card_visa" });
  assert.equal(confirmed.status, "succeeded");

  const found = await stripe.paymentIntents.retrieve(created.id);
  assert.equal(found.amount_received, 4900);
  assert.deepEqual({ ...found.metadata }, { order: "1001" });
  assert.match(found.lastResponse.requestId, /^req_/);
});

test("throws StripeCardError for a decline, with its codes and the request's id", async () => {
  const refusal = await refused(pay({ payment_method: "pm_card_chargeDeclinedInsufficientFunds" }));

  assert.ok(refusal instanceof Stripe.errors.StripeCardError);
  assert.equal(refusal.type, "StripeCardError");
  assert.equal(refusal.code, "card_declined");
  assert.equal(refusal.decline_code, "insufficient_funds");
  assert.equal(refusal.statusCode, 402);
  assert.match(refusal.requestId ?? "", /^req_/);
  assert.match(refusal.charge ?? "", /^ch_/);
  assert.equal(refusal.payment_intent?.status, "requires_payment_method");
});

test("throws an error of its own class for each other refusal", async () => {
  const stranger = new Stripe("sk_wrong", { host: "127.0.0.1", port, protocol: "http" });
  const unknown = /** @type {any} */ ({ ...CARD_PAYMENT, colour: "red" });

  const missing = await refused(stripe.paymentIntents.retrieve("pi_none"));
  const misspelt = await refused(stripe.paymentIntents.create(unknown));
  const locked = await refused(stranger.balance.retrieve());

  assert.ok(missing instanceof Stripe.errors.StripeInvalidRequestError);
  assert.deepEqual([missing.code, missing.param, missing.statusCode], ["resource_missing", "intent", 404]);
  assert.ok(misspelt instanceof Stripe.errors.StripeInvalidRequestError);
  assert.deepEqual([misspelt.code, misspelt.param], ["parameter_unknown", "colour"]);
  assert.ok(locked instanceof Stripe.errors.StripeAuthenticationError);
});

test("repeats the answer to an idempotency key, and refuses the key for another request", async () => {
  const once = { idempotencyKey: "node-once" };

  const first = await stripe.paymentIntents.create(CARD_PAYMENT, once);
  const again = await stripe.paymentIntents.create(CARD_PAYMENT, once);
  const refusal = await refused(stripe.paymentIntents.create({ ...CARD_PAYMENT, amount: 5000 }, once));

  assert.equal(again.id, first.id);
  assert.equal(again.lastResponse.headers["idempotent-replayed"], "true");
  assert.ok(refusal instanceof Stripe.errors.StripeIdempotencyError);
});

test("lists page by page without being asked to", async () => {
  const { id: customer } = await stripe.customers.create({ email: "shopper@example.com" });
  const made = [];
  for (let amount = 501; amount <= 505; amount += 1) {
    made.unshift((await stripe.paymentIntents.create({ ...CARD_PAYMENT, amount, customer })).id);
  }

  const listed = [];
  for await (const { id } of stripe.paymentIntents.list({ customer, limit: 2 })) listed.push(id);

  assert.deepEqual(listed, made);
});

test("expands what it is asked to expand", async () => {
  const { id } = await pay({ capture_method: "automatic" });

  const intent = await stripe.paymentIntents.retrieve(id, { expand: ["latest_charge.balance_transaction"] });

  const charge = /** @type {import("stripe").Stripe.Charge} */ (intent.latest_charge);
  const entry = /** @type {import("stripe").Stripe.BalanceTransaction} */ (charge.balance_transaction);
  assert.deepEqual([charge.object, charge.paid], ["charge", true]);
  assert.equal(entry.net, 4900 - entry.fee);
});

test("refunds a part, then the rest, then no more", async () => {
  const { id: payment_intent } = await pay();

  const part = await stripe.refunds.create({ payment_intent, amount: 900 });
  const rest = await stripe.refunds.create({ payment_intent });
  const refusal = await refused(stripe.refunds.create({ payment_intent }));

  assert.deepEqual([part.amount, rest.amount, rest.status], [900, 4000, "succeeded"]);
  assert.ok(refusal instanceof Stripe.errors.StripeInvalidRequestError);
  assert.equal(refusal.code, "charge_already_refunded");
});

test("holds an amount and captures less", async () => {
  const held = await pay({ capture_method: "manual" });
  assert.deepEqual([held.status, held.amount_capturable], ["requires_capture", 4900]);

  const captured = await stripe.paymentIntents.capture(held.id, { amount_to_capture: 3000 });

  assert.deepEqual([captured.status, captured.amount_received], ["succeeded", 3000]);
});

test("sells with a Checkout Session, which is complete once it is paid", async () => {
  await stripe.webhookEndpoints.create({ url: webhooks.url, enabled_events: ["checkout.session.completed"] });
  const product = await stripe.products.create({
    name: "Mug",
    default_price_data: { currency: "usd", unit_amount: 1900 },
  });
  const session = await stripe.checkout.sessions.create({
    mode: "payment",
    line_items: [{ price: String(product.default_price), quantity: 2 }],
    success_url: "http://127.0.0.1:3000/success?session_id={CHECKOUT_SESSION_ID}",
    cancel_url: "http://127.0.0.1:3000/cancel",
  });
  assert.deepEqual([session.status, session.amount_total, session.payment_intent], ["open", 3800, null]);

  await fetch(`http://127.0.0.1:${port}/sandbox/checkout_sessions/${session.id}/pay`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ payment_method: "pm_card_visa" }),
  });
  const { body } = await webhooks.next("checkout.session.completed");

  const paid = await stripe.checkout.sessions.retrieve(session.id, { expand: ["line_items", "payment_intent"] });
  const intent = /** @type {import("stripe").Stripe.PaymentIntent} */ (paid.payment_intent);
  assert.deepEqual([paid.payment_status, intent.amount_received], ["paid", 3800]);
  assert.equal(paid.line_items?.data[0].description, "Mug");
  assert.equal(JSON.parse(body).data.object.id, session.id);
});

test("believes the signature of a webhook that was delivered, and no other", async () => {
  const { secret = "" } = await stripe.webhookEndpoints.create({
    url: webhooks.url,
    enabled_events: ["payment_intent.succeeded"],
  });

  const { id } = await pay();
  const { body, signature } = await webhooks.next("payment_intent.succeeded");

  const event = stripe.webhooks.constructEvent(body, signature, secret);
  assert.equal(event.type, "payment_intent.succeeded");
  assert.equal(/** @type {import("stripe").Stripe.PaymentIntent} */ (event.data.object).id, id);
  assert.throws(
    () => stripe.webhooks.constructEvent(body.replace("4900", "1"), signature, secret),
    Stripe.errors.StripeSignatureVerificationError,
  );
  assert.throws(
    () => stripe.webhooks.constructEvent(body, signature, "whsec_another"),
    Stripe.errors.StripeSignatureVerificationError,
  );
});

/**
 * A payment that is tried at once.
 *
 * @param {Partial<import("stripe").Stripe.PaymentIntentCreateParams>} [parameters]
 */
function pay(parameters) {
  return stripe.paymentIntents.create({
    ...CARD_PAYMENT,
    confirm: true,
    payment_method: "pm_card_visa",
    ...parameters,
  });
}

/**
 * What the request is refused with; fails when it is not refused.
 *
 * @param {Promise<unknown>} request
 */
async function refused(request) {
  const error = await request.then(
    () => assert.fail("it was not refused"),
    (/** @type {unknown} */ reason) => reason,
  );
  assert.ok(error instanceof Stripe.errors.StripeError);
  return error;
}

/**
 * A shop's webhook endpoint, which keeps what it is sent.
 *
 * @typedef {{body: string, signature: string}} Delivery
 */
async function listen() {
  /** @type {Delivery[]} */
  const taken = [];
  /** @type {(() => void)[]} */
  const waiting = [];
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    taken.push({ body: Buffer.concat(parts).toString(), signature: String(request.headers["stripe-signature"]) });
    response.end();
    for (const wake of waiting.splice(0)) wake();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const address = /** @type {import("node:net").AddressInfo} */ (server.address());

  /** @param {string} type */
  async function next(type) {
    for (;;) {
      const found = taken.find(({ body }) => JSON.parse(body).type === type);
      if (found) return found;
      await new Promise((resolve) => waiting.push(() => resolve(undefined)));
    }
  }

  return { url: `http://127.0.0.1:${address.port}/webhooks`, next, close: () => server.close() };
}
