// 3-D Secure opens a window of the bank over the page. Stripe.js does not say when, so the page looks for it.

const POLL_INTERVAL = 250; // milliseconds
const SMALLEST = 200; // pixels: Stripe.js keeps smaller frames of its own on the page

/**
 * Call `changed` with true when a challenge opens and with false when it closes.
 *
 * @param {HTMLElement} form  frames inside it are card fields
 * @param {(open: boolean) => void} changed
 * @returns {() => void} stops looking
 */
export function watchForChallenge(form, changed) {
  let open = false;
  const clock = setInterval(() => {
    const now = [...document.querySelectorAll("iframe")].some((frame) => !form.contains(frame) && isLarge(frame));
    if (now !== open) changed((open = now));
  }, POLL_INTERVAL);
  return () => clearInterval(clock);
}

/** @param {HTMLIFrameElement} frame */
function isLarge(frame) {
  const { width, height } = frame.getBoundingClientRect();
  return width >= SMALLEST && height >= SMALLEST && frame.checkVisibility({ visibilityProperty: true });
}
