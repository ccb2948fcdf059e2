// A text with a button that copies it.

/** @param {HTMLElement} element */
export function startCopyText(element) {
  const text = element.querySelector("[data-part=text]");
  const copy = element.querySelector("[data-part=copy]");
  const said = element.querySelector("[data-part=said]");
  if (!(text instanceof HTMLInputElement && copy instanceof HTMLElement && said instanceof HTMLElement)) return;
  copy.hidden = !navigator.clipboard;
  text.addEventListener("focus", () => text.select());
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text.value);
    said.textContent = said.dataset.copied ?? "";
  });
}
