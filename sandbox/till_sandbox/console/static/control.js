/** The control API, as functions. A refusal is thrown as an Error with its message. */

/**
 * @param {string} path
 * @returns {Promise<any>}
 */
export function read(path) {
  return call(path, {});
}

/**
 * @param {string} path
 * @param {object} body
 * @param {"POST" | "DELETE"} method
 * @returns {Promise<any>}
 */
export function command(path, body = {}, method = "POST") {
  return call(path, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

/**
 * @param {string} path
 * @param {RequestInit} init
 */
async function call(path, init) {
  const response = await fetch(path, init);
  const body = await response.json();
  if (!response.ok) throw new Error(body.error);
  return body;
}
