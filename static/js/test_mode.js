// What only developers see: the drawer of test cards and their page. Loaded in test mode alone; a live store does not
// even serve it.

import { start as testCardTable } from "./components/test_card_table.js";
import { start as testCards } from "./components/test_cards.js";

const components = { test_card_table: testCardTable, test_cards: testCards };

for (const [name, start] of Object.entries(components)) {
  for (const element of document.querySelectorAll(`[data-module="${name}"]`)) {
    if (element instanceof HTMLElement) start(element);
  }
}
