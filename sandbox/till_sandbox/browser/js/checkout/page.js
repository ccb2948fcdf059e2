/** What the page asks of the sandbox, at addresses below its own. */

/** What is answered when the sandbox cannot be reached. */
const UNREACHABLE = {
  error: {
    field: null,
    message:
      "We are experiencing issues connecting to our payments provider. " +
      "Please check your internet connection and try again.",
  },
};

/**
 * @param {string} what
 * @param {unknown} body
 * @returns {Promise<unknown>} never rejected
 */
export function tellPage(what, body) {
  return call(what, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

/**
 * @param {string} what
 * @returns {Promise<unknown>} never rejected
 */
export function askPage(what) {
  return call(what, {});
}

/**
 * @param {string} what
 * @param {RequestInit} init
 * @returns {Promise<unknown>}
 */
async function call(what, init) {
  try {
    const response = await fetch(`${location.pathname}/${what}`, init);
    return response.ok ? await response.json() : UNREACHABLE;
  } catch {
    return UNREACHABLE;
  }
}
