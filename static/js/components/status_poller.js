// A page that waits for a payment asks for its status until it changes, then shows the page the order belongs on.
// With data-asks it gives up after that many questions. data-not-paid is the payment page with a word why one is back.

import { isHere, pause, readStatus } from "../order_status.js";

/** @param {HTMLElement} element */
export async function startStatusPoller(element) {
  const { status: address = "", state, payment, message, asks = Infinity, notPaid = "" } = element.dataset;
  for (let asked = 0; asked < Number(asks); asked += 1) {
    await pause(asked < 15 ? 1000 : 3000);
    const status = await readStatus(address);
    if (!status) continue;
    const moved = status.state !== state || status.payment !== payment || status.message !== message;
    if (!isHere(status.next)) return location.replace(notPaid.startsWith(`${status.next}?`) ? notPaid : status.next);
    if (moved) return location.reload();
  }
}
