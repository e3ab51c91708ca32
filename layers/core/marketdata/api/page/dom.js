// Elements of the page: make them, and change them only where something is different.

/** Make an element: `make("td", {class: "num"}, "text", child)`. Null attributes are left out. */
function make(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) setAttribute(node, key, value);
  node.append(...children);
  return node;
}

/** Set an attribute if its value changes. A value of null removes the attribute. */
function setAttribute(node, key, value) {
  if (value === null || value === undefined) node.removeAttribute(key);
  else if (node.getAttribute(key) !== String(value)) node.setAttribute(key, value);
}

/** Set a node's text if the text changes, so that screen readers announce only changes. */
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Give a node these children, in this order. Children that are in place already are not moved. */
function placeChildren(node, children) {
  const focused = node.contains(document.activeElement) ? document.activeElement : null;
  children.forEach((child, index) => {
    if (node.children[index] !== child) node.insertBefore(child, node.children[index] ?? null);
  });
  while (node.children.length > children.length) node.lastChild.remove();
  // A moved node loses the focus.
  if (focused?.isConnected) focused.focus({ preventScroll: true });
}

/** Text for screen readers only. */
function visuallyHidden(text) {
  return make("span", { class: "visually-hidden" }, text);
}

/** What stands in place of a missing value: a dash, and the reason for screen readers. */
function missingValue(reason) {
  return [make("span", { "aria-hidden": "true", class: "no-value" }, "–"), visuallyHidden(reason)];
}

function byId(id) {
  return document.getElementById(id);
}
