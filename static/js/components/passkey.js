// Has the browser make a passkey, or find one, and sends the form with it. What to ask for stands in the form.

/** @param {HTMLElement} element */
export function startPasskey(element) {
  const form = /** @type {HTMLFormElement} */ (element);
  const field = /** @type {HTMLInputElement} */ (form.elements.namedItem("credential"));
  let asking = false;

  async function ask() {
    if (asking) return;
    asking = true;
    show("");
    try {
      field.value = JSON.stringify(await askedFor(form.dataset));
      form.submit();
    } catch (failure) {
      const possible = failure instanceof DOMException && failure.name !== "SecurityError";
      show(possible ? "refused" : "unsupported");
    } finally {
      asking = false;
    }
  }

  /** @param {string} what */
  function show(what) {
    for (const part of form.querySelectorAll("[data-shown-on]")) {
      part.toggleAttribute("hidden", part.getAttribute("data-shown-on") !== what);
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void ask();
  });
  void ask();
}

/** @param {DOMStringMap} wanted */
async function askedFor({ make, find }) {
  if (make) {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(JSON.parse(make));
    return navigator.credentials.create({ publicKey });
  }
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(find ?? "{}"));
  return navigator.credentials.get({ publicKey });
}
