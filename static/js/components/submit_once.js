// A form that is sent once, however often its button is pressed. The server would cope; this spares it the second one.

/** @param {HTMLElement} element */
export function startSubmitOnce(element) {
  let sent = false;
  element.addEventListener("submit", (event) => {
    if (sent) event.preventDefault();
    sent = true;
  });
  addEventListener("pageshow", () => (sent = false));
}
