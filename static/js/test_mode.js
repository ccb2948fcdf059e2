// What only developers see: the drawer of test cards and the bench. Loaded in test mode alone; a live store does not
// even serve it.

import { start as bench } from "./components/bench.js";
import { start as testCards } from "./components/test_cards.js";

const components = { bench, test_cards: testCards };

for (const [name, start] of Object.entries(components)) {
  for (const element of document.querySelectorAll(`[data-module="${name}"]`)) {
    if (element instanceof HTMLElement) start(element);
  }
}
