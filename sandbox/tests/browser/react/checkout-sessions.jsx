// Elements with Checkout Sessions as the documentation of @stripe/react-stripe-js has it. Nothing in it knows of the sandbox.

import { CheckoutElementsProvider, PaymentElement, ShippingAddressElement, useCheckoutElements } from "@stripe/react-stripe-js/checkout";
import { loadStripe } from "@stripe/stripe-js";
import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";

const query = new URLSearchParams(location.search);
const stripe = loadStripe(query.get("key") ?? "");
const clientSecret = Promise.resolve(query.get("secret") ?? "");

function Checkout() {
  const result = useCheckoutElements();
  if (result.type === "loading") return <p>Loading…</p>;
  if (result.type === "error") return <p role="alert">{result.error.message}</p>;
  return <Order checkout={result.checkout} />;
}

/** @param {{checkout: import("@stripe/react-stripe-js/checkout").StripeCheckoutElementsValue}} properties */
function Order({ checkout }) {
  const [said, say] = useState("");
  const [item] = checkout.lineItems;

  /** @param {string} email */
  async function setEmail(email) {
    const changed = await checkout.updateEmail(email);
    say(changed.type === "error" ? `${changed.error.code}: ${changed.error.message}` : "");
  }

  /** @param {FormData} form */
  async function applyCode(form) {
    const changed = await checkout.applyPromotionCode(String(form.get("code")));
    say(changed.type === "error" ? `${changed.error.code}: ${changed.error.message}` : "");
  }

  async function pay() {
    say("Paying…");
    const paid = await checkout.confirm({ redirect: "if_required" });
    if (paid.type === "success") return say(`The session is ${paid.session.status.type}.`);
    const { error } = paid;
    say(error.code === "paymentFailed" ? `${error.paymentFailed.declineCode}: ${error.message}` : error.message);
  }

  return (
    <>
      <p data-total>{checkout.total.total.amount}</p>
      <label>
        Email <input type="email" onBlur={(event) => setEmail(event.target.value)} />
      </label>
      <form action={applyCode}>
        <label>
          Code <input name="code" />
        </label>
        <button>Apply</button>
      </form>
      <button onClick={() => checkout.updateLineItemQuantity({ lineItem: item.id, quantity: item.quantity + 1 })}>
        One more {item.name}
      </button>
      {checkout.shippingOptions.map((option) => (
        <button key={option.id} onClick={() => checkout.updateShippingOption(option.id)}>
          {option.displayName}
        </button>
      ))}
      {query.has("shipped") && <ShippingAddressElement />}
      <PaymentElement />
      <button disabled={!checkout.canConfirm} onClick={pay}>
        Pay
      </button>
      <p role="status">{said}</p>
    </>
  );
}

createRoot(document.body.appendChild(document.createElement("main"))).render(
  <StrictMode>
    <CheckoutElementsProvider stripe={stripe} options={{ clientSecret }}>
      <Checkout />
    </CheckoutElementsProvider>
  </StrictMode>,
);
