// Texts that the browser keeps for the next visit. A browser may forbid this.

/** The text that an earlier visit stored, or null. */
function readStored(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** Store a text for the next visit. A text of null removes the stored one. */
function store(key, text) {
  try {
    if (text === null) localStorage.removeItem(key);
    else localStorage.setItem(key, text);
  } catch {
    // Storing is forbidden or full: the next visit begins without the text.
  }
}
