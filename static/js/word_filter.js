// Shows what contains every word that is searched for, and hides the rest, with the headings of what is hidden whole.

/**
 * @param {ParentNode} list
 * @param {string} searched
 * @param {{ entry: string, group: string }} selectors  of what is found, and of what it stands under
 * @returns {number} how many were found
 */
export function showMatching(list, searched, { entry, group }) {
  const words = plain(searched).split(" ").filter(Boolean);
  let found = 0;
  for (const heading of list.querySelectorAll(group)) {
    let any = false;
    for (const each of heading.querySelectorAll(entry)) {
      if (!(each instanceof HTMLElement)) continue;
      const text = plain(`${each.dataset.words ?? ""} ${each.textContent}`);
      each.hidden = !words.every((word) => text.includes(word));
      any ||= !each.hidden;
      found += each.hidden ? 0 : 1;
    }
    if (heading instanceof HTMLElement) heading.hidden = !any;
  }
  return found;
}

/** @param {string} text */
function plain(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/[’'-]/g, "").replace(/\s+/g, " ");
}
