// A button that prints the page.

/** @param {HTMLElement} element */
export function startPrintPage(element) {
  element.hidden = false;
  element.addEventListener("click", () => print());
}
