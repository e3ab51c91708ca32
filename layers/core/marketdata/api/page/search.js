// The box that finds symbols: a combobox over the asset lists. Enter takes the first suggestion,
// unless the text is a symbol itself; a list of symbols is taken whole.

const TYPING_PAUSE = 250;
const MOST_FOUND = 8;
// What no name has in it: it makes a text a symbol, listed or not, such as ^GSPC or OCDO.L.
const SYMBOL_ONLY = /^[\w.^=@&/-]*[-.^=@/][\w.^=@&/-]*$/;

/** What Enter takes for a text: a suggestion, or the text itself as a symbol; else null. */
function choiceFor(text, assets) {
  const asked = text.toUpperCase();
  const exactly = assets.find((asset) => asset.symbol.toUpperCase() === asked);
  if (exactly) return exactly;
  const [first] = assets;
  const isName = first?.name.toUpperCase().startsWith(asked);
  if (first && (isName || !SYMBOL_ONLY.test(text))) return first;
  return /\s/.test(text) ? null : { symbol: text, name: null };
}

/** Wire up the box. `onPick(choices)` gets what is chosen, `[{symbol, name}, ...]`. */
function startSearch(onPick) {
  const [input, list, count] = ["query", "found", "found-count"].map(byId);
  let timer = 0;
  let round = 0;
  let active = -1;
  let latest = { text: "", assets: Promise.resolve([]) };

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
    const choice = choiceFor(text, assets);
    const shown = [...assets];
    const isListed = assets.some((asset) => asset.symbol.toUpperCase() === text.toUpperCase());
    if (!isListed && !/\s/.test(text)) {
      const typed = { symbol: text.toUpperCase(), name: null };
      if (choice && !choice.name) shown.unshift(typed);
      else shown.push(typed);
    }
    list.replaceChildren(...shown.map((asset, index) => option(index, asset)));
    const taken = choice && Math.max(0, shown.indexOf(choice));
    if (choice) list.children[taken]?.classList.add("taken");
    list.hidden = shown.length === 0;
    active = -1;
    attribute(input, "aria-expanded", String(!list.hidden));
    attribute(input, "aria-activedescendant", null);
    tell(count, `${plural(assets.length, "symbol", "symbols")} found`);
  }

  function option(index, { symbol, name, asset_class: kind }) {
    const node = make(
      "li",
      { role: "option", id: `found-${index}`, "aria-selected": "false" },
      make("span", { class: "symbol" }, symbol),
      " ",
      make("span", { class: "name" }, name ?? "watch what I typed"),
      " ",
      make("span", { class: "kind" }, CLASSES[kind] ?? ""),
      make("span", { class: "enter", "aria-hidden": "true" }, "↵"),
    );
    // Before the box loses focus, which would close the list under the pointer.
    node.addEventListener("pointerdown", (event) => event.preventDefault());
    node.addEventListener("click", () => pick([{ symbol, name }]));
    return node;
  }

  function pick(choices) {
    close();
    input.value = "";
    onPick(choices);
  }

  /** The assets that match a text; the search that is under way for it, if there is one. */
  function find(text) {
    if (latest.text !== text) {
      latest = { text, assets: askSearch(text, MOST_FOUND) };
      latest.assets.catch(() => {
        latest = { text: "", assets: Promise.resolve([]) };
      });
    }
    return latest.assets;
  }

  async function search() {
    const text = input.value.trim();
    const mine = ++round;
    if (!text || text.includes(",")) return close();
    const assets = await find(text).catch(() => []);
    if (mine === round && document.activeElement === input) open(assets, text);
  }

  async function enter() {
    const text = input.value;
    const names = text.split(/[,;]/).map((part) => part.trim()).filter(Boolean);
    if (!names.length) return;
    clearTimeout(timer);
    const waiting = setTimeout(say, TYPING_PAUSE, `Searching for ${listed(names)} …`);
    const choices = [];
    const lost = [];
    try {
      for (const name of names) {
        const choice = choiceFor(name, await find(name).catch(allButSilence));
        if (choice) choices.push(choice);
        else lost.push(name);
      }
    } catch (error) {
      return say(error.message, true);
    } finally {
      clearTimeout(waiting);
    }
    if (input.value !== text) return; // typed on meanwhile
    if (lost.length) say(`Nothing is found for ${listed(lost)}`, true);
    if (choices.length) pick(choices);
  }

  input.addEventListener("input", () => {
    hush();
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
    else enter();
  });
}

/** No list is yet an answer: nothing is found. That nobody answers is not. */
function allButSilence(error) {
  if (error.network) throw error;
  return [];
}
