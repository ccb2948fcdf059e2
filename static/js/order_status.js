// What the store knows of an order, as /orders/<reference>/status.json says it.

/**
 * @typedef {object} OrderStatus
 * @property {string} order    the reference
 * @property {string} state    the order's state
 * @property {string} payment  the payment's state
 * @property {string} message  what the shopper reads
 * @property {string} next     the path the order belongs on now
 */

/** The document gets this event when the time to pay is over. */
export const HOLD_OVER = "till:hold-over";

const STATUS_TIMEOUT = 8000; // milliseconds

/**
 * @param {string} address
 * @returns {Promise<OrderStatus | null>} null when the store could not be asked
 */
export async function readStatus(address) {
  try {
    const answer = await askStore(address);
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

/** Whether the store answers with a page, be it that there is none at this address. @param {string} address */
export async function isReachable(address) {
  try {
    return (await askStore(address)).status < 500;
  } catch {
    return false;
  }
}

/** Whether `path` is the page that is shown right now. @param {string} path */
export function isHere(path) {
  return path === location.pathname + location.search || path === location.pathname;
}

/** @param {number} milliseconds */
export function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** @param {string} address */
function askStore(address) {
  return fetch(address, {
    cache: "no-store",
    headers: { Accept: "application/json" },
    signal: AbortSignal.timeout(STATUS_TIMEOUT),
  });
}
