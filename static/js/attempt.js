// What makes a page better must not stop what makes it work.

/**
 * @template T
 * @param {() => T} helper
 * @returns {T | undefined} what it returns; undefined where it fails, which the browser is told and nobody else
 */
export function attempt(helper) {
  try {
    return helper();
  } catch (problem) {
    reportError(problem);
    return undefined;
  }
}
