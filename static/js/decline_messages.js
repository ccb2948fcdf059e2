// What a shopper reads when a card is refused for a reason that the shop knows. It is loaded while the bank is asked.

/**
 * @typedef {object} DeclineMessage
 * @property {string[]} codes      what it is for
 * @property {string} happened
 * @property {string} charged
 * @property {string} next_step
 * @property {boolean} keep_card   the typed card can be corrected
 */

const TIMEOUT = 5000; // milliseconds

/**
 * @param {string} address
 * @returns {Promise<DeclineMessage[]>} none where they do not arrive in time: the page itself has a general one
 */
export async function loadDeclineMessages(address) {
  try {
    const answer = await fetch(address, { signal: AbortSignal.timeout(TIMEOUT) });
    return answer.ok ? await answer.json() : [];
  } catch {
    return [];
  }
}
