// What a shopper reads when a card is refused for a reason that the shop knows, or a detail of the order's is. It is loaded
// while the bank is asked.

/**
 * @typedef {object} DeclineMessage
 * @property {string[]} codes      what it is for
 * @property {string} happened
 * @property {string} charged
 * @property {string} next_step
 * @property {boolean} keep_card   the typed card can be corrected
 *
 * @typedef {object} RefusalMessages
 * @property {DeclineMessage[]} declines
 * @property {Record<string, string>} details  what each detail of an order is called
 */

const MESSAGES_TIMEOUT = 5000; // milliseconds

/**
 * @param {string} address
 * @returns {Promise<RefusalMessages>} none where they do not arrive in time: the page itself has general ones
 */
export async function loadRefusalMessages(address) {
  const none = { declines: [], details: {} };
  try {
    const answer = await fetch(address, { signal: AbortSignal.timeout(MESSAGES_TIMEOUT) });
    return answer.ok ? await answer.json() : none;
  } catch {
    return none;
  }
}
