// Finds every [data-module] on the page and starts the component of that name. Each page works without.

import { attempt } from "./attempt.js";

/**
 * A component that fails stops no other one; what stands in the page says what to do without it.
 *
 * @param {Record<string, (element: HTMLElement) => void>} components
 */
export function startModules(components) {
  for (const element of document.querySelectorAll("[data-module]")) {
    const start = element instanceof HTMLElement && components[element.dataset.module ?? ""];
    const started = start && attempt(() => (start(element), true));
    if (start && !started) element.toggleAttribute("data-not-loaded", true); // a style shows what to do
  }
}
