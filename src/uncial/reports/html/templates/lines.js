// The lines of a report, out of the JSON in #lines: filtered, searched and sorted all together, shown some at a time.
// [data-filter=NAME] keeps the lines with the chosen value in the column NAME, or of the chosen outcome, or in which the
// chosen character was misread, or whose image is in the chosen group; a button [data-set=NAME] chooses there; th button[data-order] sorts its table.
const lines = JSON.parse(document.getElementById("lines").textContent);
const count = lines.truth.length, systems = lines.readings;
const LEVELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const AT_ONCE = 40;
const list = document.querySelector("main"), more = document.querySelector("[data-more]");
const filters = [...document.querySelectorAll("[data-filter]")];
const sorting = document.querySelector("[data-sort]"), search = document.querySelector("[data-search]");
const collator = new Intl.Collator(undefined, { numeric: true });
const graphemes = Intl.Segmenter ? new Intl.Segmenter() : null;
const everyLine = Array.from({ length: count }, (_, line) => line);
const nearEnd = new IntersectionObserver((entries) => {
  if (entries.some((entry) => entry.isIntersecting) && shown < chosen.length) showMore();
}, { rootMargin: "1500px" });
let chosen = everyLine, shown = 0, contents = null;

const textOf = (system, line) => system.text[line] ?? lines.truth[line];
const edits = (line) => systems.map((system) => system.edits[line]);
const rate = (edits, line) => edits / Math.max(1, [...lines.truth[line]].length);

// Who needs fewest edits alone, or -1.
function winner(line) {
  const own = edits(line), least = Math.min(...own), place = own.indexOf(least);
  return own.lastIndexOf(least) === place ? place : -1;
}

const OUTCOMES = {
  wrong: (line) => edits(line).some((own) => own > 0),
  right: (line) => edits(line).every((own) => own === 0),
  missed: (line) => edits(line).every((own) => own > 0),
  equal: (line) => winner(line) < 0,
  best: (line, number) => winner(line) === Number(number),
};

// The pairs (of the truth, of the reading) that differ; one of them is empty where there is nothing for the other.
function misreadings(system, line) {
  const truth = [...lines.truth[line]], reading = [...textOf(system, line)], pairs = [];
  let left = 0, right = 0;
  const triples = system.differences[line];
  for (let place = 0; place < triples.length; place += 3) {
    const [same, missed, read] = triples.slice(place, place + 3);
    left += same;
    right += same;
    for (let step = 0; step < Math.max(missed, read); step++) {
      pairs.push([step < missed ? truth[left + step] : "", step < read ? reading[right + step] : ""]);
    }
    left += missed;
    right += read;
  }
  return pairs;
}

function isMisread(line, [truth, read]) {
  const fits = read === undefined ? ([own, other]) => own === truth || (!own && other === truth)
    : ([own, other]) => own === truth && other === read;
  return systems.some((system) => misreadings(system, line).some(fits));
}

function keeps(field) {
  const name = field.dataset.filter, value = field.value;
  if (name === "misread") {
    const wanted = JSON.parse(value);
    return (line) => isMisread(line, wanted);
  }
  if (name === "image") {
    const [measure, group] = JSON.parse(value);
    return (line) => lines.images[measure][line] === group;
  }
  if (name === "outcome") {
    const [outcome, number] = value.split(" ");
    return (line) => OUTCOMES[outcome](line, number);
  }
  return (line) => lines[name][line] === value.slice(1);
}

function found(words) {
  contents ||= everyLine.map((line) => [
    lines.page[line], lines.line[line], lines.hand[line], lines.truth[line], ...systems.map((system) => system.text[line] ?? ""),
  ].join("\n").normalize("NFC").toLowerCase());
  return (line) => contents[line].includes(words);
}

const byText = (column) => (a, b) => collator.compare(column[a], column[b]) || collator.compare(lines.page[a], lines.page[b])
  || collator.compare(lines.line[a], lines.line[b]);
const byNumber = (key) => {
  const keys = everyLine.map(key);
  return (a, b) => keys[a] - keys[b] || a - b;
};
const ORDERS = {
  best: () => (a, b) => b - a,
  middle: () => byNumber((line) => Math.abs(2 * line - count + 1)),
  confidence: () => byNumber((line) => systems[0].confidence[line] ?? 2),
  surest: () => byNumber((line) => (systems[0].edits[line] ? -(systems[0].confidence[line] ?? 0) : 1)),
  missed: () => byNumber((line) => -rate(Math.min(...edits(line)), line)),
  longest: () => byNumber((line) => -lines.truth[line].length),
  page: () => byText(lines.page),
  hand: () => byText(lines.hand),
};

function update() {
  const tests = filters.filter((field) => field.value).map(keeps);
  const words = search.value.normalize("NFC").toLowerCase();
  if (words) tests.push(found(words));
  chosen = everyLine.filter((line) => tests.every((test) => test(line)));
  if (sorting.value) chosen.sort(ORDERS[sorting.value]());
  document.querySelector("[data-count]").textContent = `${chosen.length} of ${count} lines`;
  list.replaceChildren();
  shown = 0;
  showMore();
}

function showMore() {
  const next = chosen.slice(shown, shown + AT_ONCE);
  list.append(...next.map(card));
  shown += next.length;
  more.hidden = shown >= chosen.length;
  // Observed anew, it is told again that the end is near, where so few lines do not fill the window.
  nearEnd.unobserve(more);
  nearEnd.observe(more);
}

function element(tag, content = "", kind = "") {
  const made = document.createElement(tag);
  if (kind) made.className = kind;
  made.append(...(Array.isArray(content) ? content : [content]));
  return made;
}

const rounded = (number) => Number(number.toFixed(2));
const percent = (fraction) => `${(100 * fraction).toFixed(1)} %`;
const editsText = (number) => `${rounded(number)} ${number === 1 ? "edit" : "edits"}`;

function card(line) {
  const made = element("article", "", "card");
  made.tabIndex = 0;
  made.dataset.line = line;
  const left = lines.right_to_left[line] === 1;
  made.append(heading(line));
  if (lines.pictures[line]) {
    const image = element("img");
    image.src = lines.pictures[line];
    image.alt = "the line's image";
    if (left) image.className = "left";
    made.append(image);
  }
  const pair = element("div", "", "pair");
  const wrong = new Set();
  if (systems.length === 1) places(systems[0], line, 0).forEach((place) => wrong.add(place));
  pair.append(element("span", "truth", "faint"), text([...lines.truth[line]], wrong, "ins", "", left));
  systems.forEach((system, number) => {
    const label = element("span", [element("bdi", lines.systems[number])], "faint");
    if (systems.length > 1) label.append(`, ${editsText(system.edits[line])}`);
    pair.append(label, text([...textOf(system, line)], places(system, line, 1), "del", system.confidences[line], left));
  });
  made.append(pair);
  return made;
}

function heading(line) {
  const told = systems.length === 1
    ? `CER ${percent(rate(systems[0].edits[line], line))}, ${editsText(systems[0].edits[line])}`
    : winner(line) < 0 ? "none wins" : [element("bdi", lines.systems[winner(line)]), " wins"];
  const where = element("span", [element("bdi", lines.page[line]), ", line ", element("code", [element("bdi", lines.line[line])])], "faint");
  if (lines.hand[line]) where.append(", hand ", element("bdi", lines.hand[line]));
  if (systems.length === 1 && systems[0].confidence[line] !== null) {
    where.append(`, confidence ${systems[0].confidence[line].toFixed(2)}`);
  }
  return element("p", [element("span", told, "badge"), " ", where]);
}

// The code points of the truth (side 0) or of the reading (1) that differ.
function places(system, line, side) {
  const found = new Set(), triples = system.differences[line];
  let at = 0;
  for (let place = 0; place < triples.length; place += 3) {
    at += triples[place];
    for (let end = at + triples[place + 1 + side]; at < end; at++) found.add(at);
  }
  return found;
}

// A text in runs of letters that are marked alike. A letter and its marks stay together, or a wrong accent would not be seen.
function text(characters, wrong, tag, confidences, left) {
  const made = element("p", "", "text");
  made.dir = left ? "rtl" : "ltr";
  if (!characters.length) {
    made.append(element("span", "nothing", "empty"));
    return made;
  }
  let run = null, at = 0;
  for (const unit of graphemes ? Array.from(graphemes.segment(characters.join("")), (one) => [...one.segment]) : characters.map((one) => [one])) {
    const own = unit.map((_, step) => at + step);
    const sure = confidences ? Math.min(...own.map((place) => (LEVELS.indexOf(confidences[place]) + 0.5) / LEVELS.length)) : 1;
    const marked = own.some((place) => wrong.has(place)), kind = sure < 0.5 ? "doubtful" : sure < 0.9 ? "unsure" : "";
    if (!run || run.marked !== marked || run.kind !== kind) {
      run = { marked, kind, text: "", sure: 1 };
      run.node = marked || kind ? element(marked ? tag : "span", "", kind) : document.createTextNode("");
      made.append(run.node);
    }
    run.text += unit.join("");
    run.sure = Math.min(run.sure, sure);
    run.node.textContent = run.text;
    if (kind) run.node.title = `confidence ${run.sure.toFixed(2)}`;
    at += unit.length;
  }
  return made;
}

// Fields that choose by a column, where it has more than one value. Values have a sign before them, so that none is empty.
for (const field of filters.filter((field) => lines[field.dataset.filter])) {
  const values = [...new Set(lines[field.dataset.filter])].sort(collator.compare);
  field.append(...values.map((value) => new Option(value || "(none)", `=${value}`)));
  field.closest("label").hidden = values.length < 2;
}

function go(to) {
  to.focus();
  to.scrollIntoView({ block: "center" });
}

function step(forward) {
  const own = document.activeElement.closest("article");
  if (!own) return list.firstElementChild;
  if (forward && !own.nextElementSibling) showMore();
  return forward ? own.nextElementSibling : own.previousElementSibling;
}

function orderRows(button) {
  const head = button.closest("th"), table = head.closest("table"), column = head.cellIndex;
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const other of table.querySelectorAll("th")) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const key = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
  const rows = [...table.tBodies[0].rows], numbers = rows.every((row) => key(row) !== "" && !Number.isNaN(Number(key(row))));
  rows.sort((a, b) => (down ? -1 : 1) * (numbers ? Number(key(a)) - Number(key(b)) : collator.compare(key(a), key(b))));
  table.tBodies[0].append(...rows);
}

for (const field of [...filters, sorting, search]) field.addEventListener("input", update);
more.addEventListener("click", showMore);
document.querySelector("[data-clear]").addEventListener("click", () => {
  for (const field of [...filters, search]) field.value = "";
  update();
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.set) {
    const field = filters.find((one) => one.dataset.filter === button.dataset.set);
    field.value = ["misread", "image"].includes(button.dataset.set) ? button.value : `=${button.value}`;
    update();
    document.getElementById("list").scrollIntoView();
    list.firstElementChild?.focus({ preventScroll: true });
  } else if (button && "order" in button.dataset) orderRows(button);
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || /INPUT|SELECT|TEXTAREA/.test(event.target.tagName)) return;
  if (event.key === "/") {
    search.focus();
    event.preventDefault();
  } else if (event.key === "j" || event.key === "k") {
    const next = step(event.key === "j");
    if (next) go(next);
  }
});
update();
