// The script of the drawer of test cards, loaded when it is opened. A store with live keys does not serve it.

import { start as testCardDrawer } from "../components/test_card_drawer.js";

/** @param {HTMLElement} root  @returns {() => void} opens the drawer */
export function start(root) {
  return testCardDrawer(root);
}
