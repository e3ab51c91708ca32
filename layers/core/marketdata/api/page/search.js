// The box that finds symbols: a combobox over the asset lists, and a way to watch what no list has.

const TYPING_PAUSE = 250;
const PER_CLASS = 6;
const MOST_FOUND = 8;

/** Wire up the box. `classes()` are those with a list; `onPick(text, name)` gets what is chosen. */
function startSearch(classes, onPick) {
  const [input, list, note, count] = ["query", "found", "found-note", "found-count"].map(byId);
  let timer = 0;
  let round = 0;
  let active = -1;

  const isOpen = () => !list.hidden;

  function close() {
    round += 1; // an answer that is still under way comes too late
    clearTimeout(timer);
    list.hidden = true;
    list.replaceChildren();
    tell(count, "");
    active = -1;
    attribute(input, "aria-expanded", "false");
    attribute(input, "aria-activedescendant", null);
  }

  function activate(index) {
    const options = [...list.children];
    options[active]?.setAttribute("aria-selected", "false");
    active = options.length ? (index + options.length) % options.length : -1;
    options[active]?.setAttribute("aria-selected", "true");
    options[active]?.scrollIntoView({ block: "nearest" });
    attribute(input, "aria-activedescendant", options[active]?.id);
  }

  function open(assets, text) {
    const options = assets.map((asset, index) =>
      option(index, asset.symbol, asset.name, asset.class),
    );
    const isListed = assets.some((asset) => asset.symbol.toLowerCase() === text.toLowerCase());
    if (!isListed && !/\s/.test(text)) {
      options.push(option(options.length, text.toUpperCase(), "watch what I typed", null));
    }
    list.replaceChildren(...options);
    list.hidden = options.length === 0;
    active = -1;
    attribute(input, "aria-expanded", String(!list.hidden));
    attribute(input, "aria-activedescendant", null);
    tell(count, `${plural(assets.length, "symbol", "symbols")} found`);
  }

  function option(index, symbol, name, assetClass) {
    const node = make(
      "li",
      { role: "option", id: `found-${index}`, "aria-selected": "false" },
      make("span", { class: "symbol" }, symbol),
      " ",
      make("span", { class: "name" }, name),
      " ",
      make("span", { class: "kind" }, assetClass ? CLASSES[assetClass] : ""),
    );
    // Before the box loses focus, which would close the list under the pointer.
    node.addEventListener("pointerdown", (event) => event.preventDefault());
    node.addEventListener("click", () => pick(symbol, assetClass ? name : null));
    return node;
  }

  function pick(symbol, name) {
    close();
    input.value = "";
    onPick(symbol, name);
  }

  async function search() {
    const text = input.value.trim();
    const mine = ++round;
    if (!text) return close();
    const found = await askAssets(classes(), text, PER_CLASS).catch(() => []);
    if (mine === round && document.activeElement === input) open(ranked(found, text), text);
  }

  input.addEventListener("input", () => {
    tell(note, "");
    clearTimeout(timer);
    timer = setTimeout(search, TYPING_PAUSE);
  });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      if (isOpen()) activate(active === -1 && step < 0 ? -1 : active + step);
      else search();
    } else if (event.key === "Escape") {
      if (!isOpen()) input.value = "";
      close();
    }
  });
  byId("find").addEventListener("submit", (event) => {
    event.preventDefault();
    const chosen = list.children[active];
    if (chosen) chosen.click();
    else if (input.value.trim()) pick(input.value.trim(), null);
  });
}

/** One list of all classes' finds: first what begins with the text, then in turn each's best. */
function ranked(pages, text) {
  const start = text.toLowerCase();
  const turns = pages.flatMap((assets) => assets.map((asset, turn) => ({ asset, turn })));
  const worse = ({ asset, turn }) => {
    const symbol = asset.symbol.toLowerCase();
    const isExact = symbol === start || symbol.split(/[-/]/).includes(start);
    return (isExact ? 0 : symbol.startsWith(start) ? 100 : 200) + turn;
  };
  return turns
    .sort((a, b) => worse(a) - worse(b))
    .slice(0, MOST_FOUND)
    .map(({ asset }) => asset);
}
