import { addressFrom } from "./form-options.js";

/**
 * Who pays a Checkout Session in a page of the shop's own: what the page says of them, and what they type into Elements. It
 * is kept here until the session is confirmed.
 */

const WHOLE_MAIL = /^[^@\s]+@[^@\s]+\.[^@\s.]+$/;
const BEGUN_MAIL = /^[^@\s]*(@[^@\s]*)?$/;

export class CheckoutContact {
  #group;
  /** @type {Record<string, any>} */
  #given;

  /**
   * @param {import("./elements.js").ElementsGroup} group
   * @param {Record<string, any>} defaults `defaultValues`
   */
  constructor(group, { email = null, phoneNumber = null, billingAddress = null, shippingAddress = null }) {
    this.#group = group;
    this.#given = { email, phoneNumber, billingAddress, shippingAddress, businessName: null, individualName: null };
  }

  /** @param {string} name @param {unknown} value @returns {null} */
  set(name, value) {
    this.#given[name] = value || null;
    return null;
  }

  /** @param {unknown} email @returns {{message: string, code: "incompleteEmail" | "invalidEmail"} | null} */
  setEmail(email) {
    const written = String(email ?? "").trim();
    if (email !== null && !WHOLE_MAIL.test(written)) {
      return BEGUN_MAIL.test(written)
        ? { message: "Your email is incomplete.", code: "incompleteEmail" }
        : { message: "Your email is invalid.", code: "invalidEmail" };
    }
    return this.set("email", written);
  }

  /**
   * @param {Record<string, any>} session
   * @returns {Record<string, any>} those fields of the session that the page knows about
   */
  said(session) {
    const { email, phoneNumber, billingAddress, shippingAddress, businessName, individualName } = this.#given;
    return {
      email: session.email ?? (this.#group.email || email),
      phoneNumber: phoneNumber ?? null,
      billingAddress: this.#typed("billing") ?? billingAddress,
      shippingAddress: this.#typed("shipping") ?? shippingAddress ?? session.shippingAddress ?? null,
      businessName,
      nameCollection: businessName || individualName ? { businessName, individualName } : null,
    };
  }

  /**
   * @param {Record<string, any>} session
   * @param {Record<string, any>} given what `confirm()` was told; goes before what was said earlier
   * @returns {{error: string} | {parameters: Record<string, any>, details: Record<string, any>}} parameters of the
   *   confirmation, and the billing details of the card
   */
  toConfirm(session, given) {
    const said = this.said(session);
    const email = session.email ?? given.email ?? said.email;
    if (!email) return { error: "An email is required to confirm the Checkout Session." };
    const phone = given.phoneNumber ?? said.phoneNumber;
    const billing = given.billingAddress ?? said.billingAddress;
    const shipping = given.shippingAddress ?? said.shippingAddress;
    const address = billing?.address ?? {};
    return {
      parameters: {
        email,
        ...(phone && { phone }),
        ...(billing && { billing_address: contact(billing) }),
        ...(shipping && { shipping_address: contact(shipping) }),
      },
      details: {
        email,
        ...(phone && { phone }),
        ...(billing?.name && { name: billing.name }),
        address: present(address),
      },
    };
  }

  /** @param {"billing" | "shipping"} mode @returns {Record<string, any> | null} what was typed into that Element, once it is whole */
  #typed(mode) {
    const form = this.#group.address(mode);
    if (!form?.isComplete) return null;
    const { name, address } = addressFrom(form.values);
    return { name, address };
  }
}

/** @param {{name?: string | null, address: Record<string, string | null>}} given */
function contact({ name, address }) {
  return { ...(name && { name }), address: present(address ?? {}) };
}

/** @param {Record<string, string | null | undefined>} parts */
function present(parts) {
  return Object.fromEntries(Object.entries(parts).filter(([, part]) => part));
}
