// Counts down how long the things are held. When the time is over the document gets an event, once.

export const HOLD_OVER = "till:hold-over";

/** @param {HTMLElement} element */
export function start(element) {
  const left = element.querySelector("[data-part=left]");
  const seconds = Number(element.dataset.secondsLeft);
  if (!left || !(seconds > 0)) return;
  const end = Date.now() + seconds * 1000;
  const clock = setInterval(tick, 1000);
  tick();

  function tick() {
    const rest = Math.max(0, Math.round((end - Date.now()) / 1000));
    if (left) left.textContent = inWords(rest);
    if (rest > 0) return;
    clearInterval(clock);
    for (const part of element.querySelectorAll("p")) part.hidden = part.dataset.part !== "over";
    document.dispatchEvent(new CustomEvent(HOLD_OVER));
  }
}

/** @param {number} seconds */
function inWords(seconds) {
  const minutes = Math.floor(seconds / 60);
  return `${minutes}:${String(seconds % 60).padStart(2, "0")} minutes`;
}
