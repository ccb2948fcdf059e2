// The button that opens the drawer of test cards: the drawer and its script are loaded then.

/** @param {HTMLElement} root */
export function start(root) {
  /** @param {string} name */
  const part = (name) => /** @type {HTMLElement} */ (root.querySelector(`[data-part="${name}"]`));
  const button = part("open");
  /** @type {Promise<() => void> | undefined} */
  let loaded;

  part("page").hidden = true;
  button.hidden = false;
  button.addEventListener("click", async () => {
    button.ariaBusy = "true";
    try {
      const open = await (loaded ??= load(root));
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

/**
 * Ask the store for the drawer, and put it at the end of the section with its style and its script.
 *
 * @param {HTMLElement} root
 * @returns {Promise<() => void>} opens it; rejects where a part of it does not arrive
 */
async function load(root) {
  const answer = await fetch(root.dataset.drawer ?? "");
  if (!answer.ok) throw new Error(`${answer.status}`);
  const { head, body } = new DOMParser().parseFromString(await answer.text(), "text/html");
  const style = /** @type {HTMLLinkElement} */ (head.querySelector("link"));
  const script = style.dataset.script ?? "";
  const [{ start }] = await Promise.all([
    import(script),
    new Promise((resolve, reject) => {
      style.addEventListener("load", resolve);
      style.addEventListener("error", reject);
      document.head.append(style);
    }),
  ]);
  root.append(...body.childNodes);
  return start(root);
}
