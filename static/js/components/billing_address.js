// Puts the fields of a billing address on the page once the box "Same as shipping" is unticked. What hides them while
// it is ticked is the style sheet, also without this script.

/** @param {HTMLElement} element */
export function startBillingAddress(element) {
  const box = element.querySelector("input[type=checkbox]");
  const template = element.querySelector("template");
  if (!(box instanceof HTMLInputElement) || !template) return;

  const show = () => {
    if (!box.checked) template.replaceWith(template.content);
  };
  box.addEventListener("change", show);
  show(); // a browser that came back keeps the box as it was left
}
