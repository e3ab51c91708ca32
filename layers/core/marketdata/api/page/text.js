// Times, words and nodes as the page shows them. Nothing here knows of the service.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A length of time in its largest unit: "12 s", "4 min", "3 h", "5 d". */
function age(ms) {
  const [size, unit] =
    ms < MINUTE
      ? [1000, "s"]
      : ms < HOUR
        ? [MINUTE, "min"]
        : ms < 2 * DAY
          ? [HOUR, "h"]
          : [DAY, "d"];
  return `${Math.max(0, Math.floor(ms / size))}\u00a0${unit}`;
}

/** The time until something: "32 s", "4:32", "2 h 5 min", "3 d". */
function countdown(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${String(seconds % 60).padStart(2, "0")}`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.floor(minutes / 1440)} d`;
}

/** A moment as the viewer's clock shows it, with the day where that is not the day of `now`. */
function clock(ms, now) {
  const then = new Date(ms);
  const time = then.toLocaleTimeString("en-GB");
  if (then.toDateString() === new Date(now).toDateString()) return time;
  const day = then.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  return `${day} ${time.slice(0, 5)}`;
}

/** A code of the service as words: "bad_key" is "bad key". */
function words(code) {
  return code.replaceAll("_", " ");
}

function plural(count, one, many) {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}

/** Names in a row: "A", "A and B", "A, B and C". */
function listed(names) {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** An element: `make("td", {class: "num"}, "text", child)`; attributes of null are left out. */
function make(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) attribute(node, key, value);
  node.append(...children);
  return node;
}

/** Set an attribute, or remove it where the value is null, only if that changes something. */
function attribute(node, key, value) {
  if (value === null || value === undefined) node.removeAttribute(key);
  else if (node.getAttribute(key) !== String(value)) node.setAttribute(key, value);
}

/** Set a node's text only if it changes, so that assistive technology announces only changes. */
function tell(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Put these children into a node, in this order, moving only those that are elsewhere. */
function place(node, children) {
  const focused = node.contains(document.activeElement) ? document.activeElement : null;
  children.forEach((child, index) => {
    if (node.children[index] !== child) node.insertBefore(child, node.children[index] ?? null);
  });
  while (node.children.length > children.length) node.lastChild.remove();
  // A node that is moved loses the focus.
  if (focused?.isConnected) focused.focus({ preventScroll: true });
}

/** Words that only a screen reader tells. */
function unseen(text) {
  return make("span", { class: "unseen" }, text);
}

/** A dash to see, and the reason to hear. */
function nothing(reason) {
  return [make("span", { "aria-hidden": "true", class: "nothing" }, "–"), unseen(reason)];
}

function byId(id) {
  return document.getElementById(id);
}

/** A text that an earlier visit kept, or null. */
function recall(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** Keep a text for the next visit; null forgets it. */
function keep(key, text) {
  try {
    if (text === null) localStorage.removeItem(key);
    else localStorage.setItem(key, text);
  } catch {
    // Without a store the page begins anew each time.
  }
}
