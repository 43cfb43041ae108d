// A list of cards (article) or of table rows (tr[data-card]) that can be filtered, searched and sorted.
// [data-filter=NAME] keeps those whose data-NAME is the chosen value, or one of the ticked ones; [data-sort] orders them by
// the data-NAME of its value, "-NAME" downwards, "" as they came; th[data-by=NAME] does so when it is pressed.
const cards = [...document.querySelectorAll("article, tr[data-card]")];
const filters = [...document.querySelectorAll("[data-filter]")];
const sorting = document.querySelector("[data-sort]");
const search = document.querySelector("[data-search]");
const count = document.querySelector("[data-count]");
let contents = null;

function filter() {
  const ticked = {}, chosen = {};
  for (const field of filters) {
    const name = field.dataset.filter;
    if (field.type === "checkbox") {
      (ticked[name] ||= new Set());
      if (field.checked) ticked[name].add(field.value);
    } else if (field.value) chosen[name] = field.value;
  }
  const words = search ? search.value.normalize("NFC").toLowerCase() : "";
  if (words) contents ||= cards.map((card) => card.textContent.normalize("NFC").toLowerCase());
  let shown = 0;
  cards.forEach((card, number) => {
    const fits = Object.entries(ticked).every(([name, values]) => values.has(card.dataset[name]))
      && Object.entries(chosen).every(([name, value]) => card.dataset[name] === value)
      && (!words || contents[number].includes(words));
    card.hidden = !fits;
    shown += fits;
  });
  if (count) count.textContent = `${shown} of ${cards.length} shown`;
}

function sort(by) {
  const name = by.replace(/^-/, ""), sign = by.startsWith("-") ? -1 : 1;
  const key = (card) => card.dataset[name];
  const numbers = name && cards.every((card) => !Number.isNaN(Number(key(card))));
  const compare = numbers ? (a, b) => Number(key(a)) - Number(key(b))
    : (a, b) => key(a).localeCompare(key(b), undefined, { numeric: true });
  const places = new Map(cards.map((card, place) => [card, place]));
  const ordered = name ? [...cards].sort((a, b) => sign * compare(a, b) || places.get(a) - places.get(b)) : cards;
  if (cards.length) cards[0].parentNode.append(...ordered);
}

if (cards.length) {
  for (const field of [...filters, search]) if (field) field.addEventListener("input", filter);
  if (sorting) sorting.addEventListener("input", () => sort(sorting.value));
  for (const head of document.querySelectorAll("th[data-by]")) {
    head.querySelector("button").addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of document.querySelectorAll("th[data-by]")) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      sort((down ? "-" : "") + head.dataset.by);
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || /INPUT|SELECT|TEXTAREA/.test(event.target.tagName)) return;
    if (event.key === "/" && search) {
      search.focus();
      event.preventDefault();
    } else if (event.key === "j" || event.key === "k") {
      const step = event.key === "j" ? "nextElementSibling" : "previousElementSibling";
      const own = document.activeElement.closest("article, tr[data-card]");
      let next = own ? own[step] : document.querySelector("article:not([hidden]), tr[data-card]:not([hidden])");
      while (next && next.hidden) next = next[step];
      if (next) {
        next.focus();
        next.scrollIntoView({ block: "center" });
      }
    }
  });
  filter();
}
