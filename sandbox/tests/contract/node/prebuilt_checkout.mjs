// A shop that sends its customers to Stripe's page, in Node.js: a button, the page, a way back, a webhook.
// Prints the address that it listens on.

import { createServer } from "node:http";
import { text } from "node:stream/consumers";

import Stripe from "stripe";

const { STRIPE_SECRET_KEY = "", STRIPE_WEBHOOK_SECRET = "", SANDBOX_PORT, DOMAIN, PRICE } = process.env;
const stripe = new Stripe(STRIPE_SECRET_KEY, { host: "127.0.0.1", port: Number(SANDBOX_PORT), protocol: "http" });
/** @type {string[]} */
const fulfilled = [];

const PAGE = `<!doctype html><title>Tea shop</title>
<h1>Tea</h1>
<form action="/create-checkout-session" method="post">
  <input type="number" name="quantity" min="1" max="10" value="1">
  <button>Buy</button>
</form>`;

/** @typedef {import("node:http").IncomingMessage} Request */
/** @typedef {{status: number, body?: string, location?: string}} Answer */

/** @type {Record<string, (request: Request, query: URLSearchParams) => Promise<Answer>>} */
const ROUTES = {
  "GET /": async () => ({ status: 200, body: PAGE }),
  "POST /create-checkout-session": createCheckoutSession,
  "GET /success": success,
  "POST /webhook": webhook,
};

const server = createServer(async (request, response) => {
  const url = new URL(request.url ?? "/", "http://localhost");
  const route = ROUTES[`${request.method} ${url.pathname}`];
  const { status, body = "", location } = route ? await route(request, url.searchParams) : { status: 404 };
  response.writeHead(status, location ? { Location: location } : {}).end(body);
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address && typeof address === "object") console.log(`http://127.0.0.1:${address.port}`);
});

/** @param {Request} request @returns {Promise<Answer>} */
async function createCheckoutSession(request) {
  const form = new URLSearchParams(await text(request));
  const session = await stripe.checkout.sessions.create({
    mode: "payment",
    success_url: `${DOMAIN}/success?session_id={CHECKOUT_SESSION_ID}`,
    cancel_url: `${DOMAIN}/`,
    line_items: [{ price: PRICE, quantity: Number(form.get("quantity")) }],
  });
  return { status: 303, location: session.url ?? DOMAIN };
}

/** @param {Request} _request @param {URLSearchParams} query @returns {Promise<Answer>} */
async function success(_request, query) {
  const session = await stripe.checkout.sessions.retrieve(query.get("session_id") ?? "", { expand: ["line_items"] });
  const bought = session.line_items?.data.map((item) => `${item.quantity} ${item.description}`);
  return { status: 200, body: JSON.stringify({ status: session.payment_status, total: session.amount_total, bought }) };
}

/** @param {Request} request @returns {Promise<Answer>} */
async function webhook(request) {
  const signature = String(request.headers["stripe-signature"]);
  let event;
  try {
    event = stripe.webhooks.constructEvent(await text(request), signature, STRIPE_WEBHOOK_SECRET);
  } catch {
    return { status: 400 };
  }
  if (event.type === "checkout.session.completed" && event.data.object.payment_status === "paid") {
    fulfilled.push(event.data.object.id);
  }
  return { status: 200, body: JSON.stringify({ fulfilled }) };
}
