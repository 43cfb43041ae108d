const cards = [...document.querySelectorAll("article")];
const severities = [...document.querySelectorAll("input[name=severity]")];
const kind = document.getElementById("kind");
const search = document.getElementById("search");
const count = document.getElementById("count");
const contents = cards.map((card) => card.textContent.toLowerCase());
function filter() {
  const wanted = new Set(severities.filter((box) => box.checked).map((box) => box.value));
  const words = search.value.toLowerCase();
  let shown = 0;
  cards.forEach((card, number) => {
    const fits = wanted.has(card.dataset.severity) && (!kind.value || card.dataset.kind === kind.value)
      && contents[number].includes(words);
    card.hidden = !fits;
    shown += fits;
  });
  count.textContent = `${shown} of ${cards.length} shown`;
}
if (count) {
  [...severities, kind, search].forEach((field) => field.addEventListener("input", filter));
  filter();
}
