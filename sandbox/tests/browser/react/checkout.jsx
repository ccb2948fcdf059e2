// A checkout as the documentation of @stripe/react-stripe-js has it. Nothing in it knows of the sandbox: `loadStripe`
// takes the `Stripe` that the page has loaded.

import {
  CardCvcElement,
  CardElement,
  CardExpiryElement,
  CardNumberElement,
  Elements,
  useElements,
  useStripe,
} from "@stripe/react-stripe-js";
import { loadStripe } from "@stripe/stripe-js";
import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";

const query = new URLSearchParams(location.search);
const clientSecret = query.get("secret") ?? "";
const isSplit = query.has("split");
const stripe = loadStripe(query.get("key") ?? "");

function Checkout() {
  const stripe = useStripe();
  const elements = useElements();
  const [isShown, show] = useState(true);
  const [said, say] = useState("");
  const [wrong, complain] = useState("");

  /** @param {import("react").FormEvent} event */
  async function pay(event) {
    event.preventDefault();
    const card = isSplit ? elements?.getElement(CardNumberElement) : elements?.getElement(CardElement);
    if (!stripe || !card) return say("There is no card.");
    say("Paying…");
    const { error, paymentIntent } = await stripe.confirmCardPayment(clientSecret, { payment_method: { card } });
    say(error ? `${error.code}: ${error.message}` : `The payment has ${paymentIntent.status}.`);
  }

  return (
    <form onSubmit={pay}>
      {isShown && (isSplit ? <SplitCard /> : <WholeCard complain={complain} />)}
      <p role="alert">{wrong}</p>
      <button disabled={!stripe}>Pay</button>
      <button type="button" onClick={() => show(!isShown)}>
        {isShown ? "Hide the card" : "Show the card"}
      </button>
      <p role="status">{said}</p>
    </form>
  );
}

/** @param {{complain: (wrong: string) => void}} properties */
function WholeCard({ complain }) {
  const [state, setState] = useState("loading");
  return (
    <div data-card={state}>
      <CardElement
        className="box"
        options={{ hidePostalCode: true, style: { base: { fontSize: "16px" } } }}
        onReady={() => setState("ready")}
        onFocus={() => setState("in use")}
        onChange={({ complete, error }) => {
          setState(complete ? "complete" : "in use");
          complain(error?.message ?? "");
        }}
      />
    </div>
  );
}

function SplitCard() {
  return (
    <>
      <CardNumberElement className="box" options={{ showIcon: true }} />
      <CardExpiryElement className="box" />
      <CardCvcElement className="box" />
    </>
  );
}

createRoot(document.body.appendChild(document.createElement("main"))).render(
  <StrictMode>
    <Elements stripe={stripe}>
      <Checkout />
    </Elements>
  </StrictMode>,
);
