// The button that opens the drawer of test cards: its script is loaded then, and loads the rest.

/** @param {HTMLElement} root */
export function startTestCards(root) {
  /** @param {string} name */
  const part = (name) => /** @type {HTMLElement} */ (root.querySelector(`[data-part="${name}"]`));
  const button = part("open");
  const script = root.dataset.script ?? "";
  /** @type {Promise<() => void> | undefined} */
  let loaded;

  part("page").hidden = true;
  button.hidden = false;
  button.addEventListener("click", async () => {
    button.ariaBusy = "true";
    try {
      const open = await (loaded ??= import(script).then(({ load }) => load(root)));
      open();
    } catch {
      loaded = undefined; // the next click tries again
      const words = /** @type {HTMLTemplateElement} */ (root.querySelector("template[data-says=not-loaded]"));
      part("said").replaceChildren(words.content.cloneNode(true));
    } finally {
      button.ariaBusy = null;
    }
  });
}
