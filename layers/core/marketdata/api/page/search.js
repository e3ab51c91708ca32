// The search box: a combobox over the asset lists. Enter chooses the first suggestion, or the text
// itself if the text is a symbol. If the text is a list of symbols, Enter chooses all of them.

const TYPING_PAUSE_MS = 250;
const MAX_SUGGESTIONS = 8;
// A text without blanks and with one of - . ^ = @ / is taken for a symbol: ^GSPC or OCDO.L.
const SYMBOL_TEXT = /^[\w.^=@&/-]*[-.^=@/][\w.^=@&/-]*$/;

/** What Enter chooses for a text: a suggestion, or the text itself as a symbol, or null. */
function choiceFor(text, assets) {
  const asked = text.toUpperCase();
  const exactly = assets.find((asset) => asset.symbol.toUpperCase() === asked);
  if (exactly) return exactly;
  const [first] = assets;
  const isName = first?.name.toUpperCase().startsWith(asked);
  if (first && (isName || !SYMBOL_TEXT.test(text))) return first;
  return /\s/.test(text) ? null : { symbol: text, name: null };
}

/** Connect the search box. `onPick(choices)` is called with `[{symbol, name}, ...]`. */
function startSearch(onPick) {
  const [input, list, count] = ["query", "found", "found-count"].map(byId);
  let timer = 0;
  let searchCount = 0;
  let active = -1;
  let latest = { text: "", assets: Promise.resolve([]) };

  const isOpen = () => !list.hidden;

  function close() {
    searchCount += 1; // the answer of a search that is still running is ignored
    clearTimeout(timer);
    list.hidden = true;
    list.replaceChildren();
    setText(count, "");
    active = -1;
    setAttribute(input, "aria-expanded", "false");
    setAttribute(input, "aria-activedescendant", null);
  }

  function activate(index) {
    const options = [...list.children];
    options[active]?.setAttribute("aria-selected", "false");
    active = options.length ? (index + options.length) % options.length : -1;
    options[active]?.setAttribute("aria-selected", "true");
    options[active]?.scrollIntoView({ block: "nearest" });
    setAttribute(input, "aria-activedescendant", options[active]?.id);
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
    if (choice) list.children[taken]?.classList.add("default");
    list.hidden = shown.length === 0;
    active = -1;
    setAttribute(input, "aria-expanded", String(!list.hidden));
    setAttribute(input, "aria-activedescendant", null);
    setText(count, `${plural(assets.length, "symbol", "symbols")} found`);
  }

  function option(index, { symbol, name, asset_class: kind }) {
    const node = make(
      "li",
      { role: "option", id: `found-${index}`, "aria-selected": "false" },
      make("span", { class: "symbol" }, symbol),
      " ",
      make("span", { class: "name" }, name ?? "watch this text as a symbol"),
      " ",
      make("span", { class: "kind" }, CLASSES[kind] ?? ""),
      make("span", { class: "enter", "aria-hidden": "true" }, "↵"),
    );
    // Otherwise the box would lose the focus, and the list would close before the click.
    node.addEventListener("pointerdown", (event) => event.preventDefault());
    node.addEventListener("click", () => pick([{ symbol, name }]));
    return node;
  }

  function pick(choices) {
    close();
    input.value = "";
    onPick(choices);
  }

  /** The assets that match a text. A search that is running for the same text is used again. */
  function find(text) {
    if (latest.text !== text) {
      latest = { text, assets: searchAssets(text, MAX_SUGGESTIONS) };
      latest.assets.catch(() => {
        latest = { text: "", assets: Promise.resolve([]) };
      });
    }
    return latest.assets;
  }

  async function search() {
    const text = input.value.trim();
    const thisSearch = ++searchCount;
    if (!text || text.includes(",")) return close();
    const assets = await find(text).catch(() => []);
    if (thisSearch === searchCount && document.activeElement === input) open(assets, text);
  }

  async function enter() {
    const text = input.value;
    const names = text
      .split(/[,;]/)
      .map((part) => part.trim())
      .filter(Boolean);
    if (!names.length) return;
    clearTimeout(timer);
    const waiting = setTimeout(showNote, TYPING_PAUSE_MS, `Searching for ${joinNames(names)} …`);
    const choices = [];
    const unmatched = [];
    try {
      for (const name of names) {
        const choice = choiceFor(name, await find(name).catch(emptyIfAnswered));
        if (choice) choices.push(choice);
        else unmatched.push(name);
      }
    } catch (error) {
      return showNote(error.message, true);
    } finally {
      clearTimeout(waiting);
    }
    if (input.value !== text) return; // the text was changed meanwhile
    if (unmatched.length) showNote(`Nothing is found for ${joinNames(unmatched)}`, true);
    if (choices.length) pick(choices);
  }

  input.addEventListener("input", () => {
    clearNote();
    clearTimeout(timer);
    timer = setTimeout(search, TYPING_PAUSE_MS);
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

/** Return no assets for an error that the API answered. Throw the error if no answer came. */
function emptyIfAnswered(error) {
  if (error.isUnanswered) throw error;
  return [];
}
