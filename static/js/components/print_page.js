// A button that prints the page.

/** @param {HTMLElement} element */
export function start(element) {
  element.hidden = false;
  element.addEventListener("click", () => print());
}
