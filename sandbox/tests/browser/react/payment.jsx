// The Payment Element as the documentation of @stripe/react-stripe-js has it: with the client secret of a PaymentIntent, or
// without one until the customer presses the button. Nothing in it knows of the sandbox.

import { AddressElement, Elements, LinkAuthenticationElement, PaymentElement, useElements, useStripe } from "@stripe/react-stripe-js";
import { loadStripe } from "@stripe/stripe-js";
import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";

const query = new URLSearchParams(location.search);
const clientSecret = query.get("secret") ?? "";
const isDeferred = query.has("deferred");
const stripe = loadStripe(query.get("key") ?? "");

/** @type {import("@stripe/stripe-js").StripeElementsOptions} */
const options = isDeferred
  ? { mode: "payment", amount: 1234, currency: "usd", appearance: { theme: "flat" } }
  : { clientSecret, appearance: { variables: { colorPrimary: "#7a1fa2" } } };

function Checkout() {
  const stripe = useStripe();
  const elements = useElements();
  const [said, say] = useState("");
  const [state, setState] = useState("loading");

  /** @param {import("react").FormEvent} event */
  async function pay(event) {
    event.preventDefault();
    if (!stripe || !elements) return;
    say("Paying…");
    const { error: wrong } = await elements.submit();
    if (wrong) return say(`${wrong.code}: ${wrong.message}`);
    const { error, paymentIntent } = await stripe.confirmPayment({
      elements,
      clientSecret,
      confirmParams: { return_url: location.href },
      redirect: "if_required",
    });
    say(error ? `${error.code}: ${error.message}` : `The payment has ${paymentIntent.status}.`);
  }

  return (
    <form onSubmit={pay}>
      {isDeferred && <LinkAuthenticationElement options={{ defaultValues: { email: "ada@example.com" } }} />}
      {isDeferred && <AddressElement options={{ mode: "shipping" }} />}
      <div data-card={state}>
        <PaymentElement
          options={{ layout: "tabs" }}
          onReady={() => setState("ready")}
          onChange={({ complete }) => setState(complete ? "complete" : "in use")}
        />
      </div>
      <button disabled={!stripe}>Pay</button>
      <p role="status">{said}</p>
    </form>
  );
}

createRoot(document.body.appendChild(document.createElement("main"))).render(
  <StrictMode>
    <Elements stripe={stripe} options={options}>
      <Checkout />
    </Elements>
  </StrictMode>,
);
