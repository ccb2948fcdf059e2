// The script of the drawer of test cards, loaded when it is opened. A store with live keys does not serve it.

import { startTestCardDrawer } from "../components/test_card_drawer.js";

/**
 * Ask the store for the drawer, and put it at the end of the section with its style.
 *
 * @param {HTMLElement} root
 * @returns {Promise<() => void>} opens it; rejects where a part of it does not arrive
 */
export async function load(root) {
  const answer = await fetch(root.dataset.drawer ?? "");
  if (!answer.ok) throw new Error(`${answer.status}`);
  const { head, body } = new DOMParser().parseFromString(await answer.text(), "text/html");
  const style = /** @type {HTMLLinkElement} */ (head.querySelector("link"));
  await new Promise((resolve, reject) => {
    style.addEventListener("load", resolve);
    style.addEventListener("error", reject);
    document.head.append(style);
  });
  root.append(...body.childNodes);
  return startTestCardDrawer(root);
}
