/** The control API, as functions. What it refuses is thrown as an Error with its words. */

/**
 * @param {string} path
 * @returns {Promise<any>}
 */
export function look(path) {
  return ask(path, {});
}

/**
 * @param {string} path
 * @param {object} body
 * @param {"POST" | "DELETE"} method
 * @returns {Promise<any>}
 */
export function command(path, body = {}, method = "POST") {
  return ask(path, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

/**
 * @param {string} path
 * @param {RequestInit} how
 */
async function ask(path, how) {
  const response = await fetch(path, how);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}
