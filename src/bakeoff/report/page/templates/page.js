"use strict";
// Without JavaScript everything is there and can be read; with it, tables sort, pictures filter and
// enlarge, and marks say what they stand for.
const make = (name, text, parent) => {
  const element = document.createElement(name);
  if (text) element.textContent = text;
  if (parent) parent.append(element);
  return element;
};

// Tables with data-sort get a button in each header cell.
for (const table of document.querySelectorAll("table[data-sort]")) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  heads.forEach((head, column) => {
    const value = (row) => row.cells[column].dataset.value;
    const isNumber = (text) => text !== "" && !Number.isNaN(Number(text));
    const numeric = [...body.rows].map(value).some(isNumber);
    const button = make("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      // Numbers start with the highest, words with "a"; the next click reverses the order.
      const first = numeric ? "descending" : "ascending";
      const second = numeric ? "ascending" : "descending";
      const order = head.getAttribute("aria-sort") === first ? second : first;
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
      const sign = order === "descending" ? -1 : 1;
      const rank = (a, b) => {
        const [x, y] = [value(a), value(b)];
        const missing = (x === "") - (y === "");  // what was not measured stays last
        return missing || sign * (numeric ? Number(x) - Number(y) : x.localeCompare(y));
      };
      body.append(...[...body.rows].sort(rank));
    });
  });
}

// A mark's words follow the pointer; on a touch screen they stay until the next touch.
const tip = make("div", "", document.body);
tip.className = "tip hidden";
addEventListener("pointerover", (event) => {
  const mark = event.target.closest?.("[data-tip]");
  tip.classList.toggle("hidden", !mark);
  if (!mark) return;
  tip.textContent = mark.dataset.tip;
  const edge = document.documentElement.clientWidth - tip.offsetWidth - 8;
  tip.style.left = `${scrollX + Math.max(4, Math.min(event.clientX + 12, edge))}px`;
  tip.style.top = `${event.pageY + 16}px`;
});

// Pictures by model and class.
const galleries = document.getElementById("galleries");
if (galleries) {
  const parts = [...galleries.querySelectorAll(":not(li)[data-model]")];
  const cards = [...galleries.querySelectorAll("li[data-class]")];
  const row = make("div");
  row.className = "filters";
  const choices = ["model", "class"].map((kind) => {
    const found = (kind === "model" ? parts : cards).map((each) => each.dataset[kind]);
    const names = [...new Set(found)].sort();
    const choice = make("select", "", make("label", `Pictures of ${kind} `, row));
    make("option", "all", choice).value = "";
    names.forEach((name) => { make("option", name, choice).value = name; });
    choice.parentElement.classList.toggle("hidden", names.length < 2);
    return choice;
  });
  const other = (choice, value) => choice.value !== "" && value !== undefined && value !== choice.value;
  const filter = () => {
    const [model, kind] = choices;
    parts.forEach((part) => {
      part.classList.toggle("hidden", other(model, part.dataset.model));
      if (part.dataset.model === model.value) part.open = part.parentElement.open = true;
    });
    cards.forEach((card) => {
      const hidden = other(model, card.dataset.model) || other(kind, card.dataset.class);
      card.classList.toggle("hidden", hidden);
    });
  };
  choices.forEach((choice) => choice.addEventListener("change", filter));
  galleries.prepend(row);
}

// Curves by model.
for (const block of document.querySelectorAll("[data-models]")) {
  const names = block.dataset.models.split("\n");
  if (names.length < 2) continue;
  const row = make("div");
  row.className = "filters";
  const cut = (name) => (name.length > 28 ? `${name.slice(0, 14)}…${name.slice(-13)}` : name);
  const alike = (name) => names.filter((other) => cut(other) === cut(name)).length > 1;
  names.forEach((name) => {
    const button = make("button", alike(name) ? name : cut(name), row);
    button.type = "button";
    button.title = name;
    button.setAttribute("aria-pressed", "true");
    button.addEventListener("click", () => {
      const shown = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(shown));
      for (const mark of block.querySelectorAll("[data-tip]")) {
        const said = mark.dataset.tip;
        if (said === name || said.startsWith(`${name} ·`)) mark.classList.toggle("hidden", !shown);
      }
    });
  });
  block.before(row);
}

// Pictures enlarge.
const box = make("dialog", "", document.body);
box.addEventListener("click", () => box.close());
for (const image of document.querySelectorAll(".images img, .samples img")) {
  image.classList.add("enlarges");
  image.addEventListener("click", () => {
    const large = make("img");
    large.src = image.src;
    const words = make("p", image.alt || image.title);
    box.replaceChildren(large, words);
    box.showModal();
  });
}

// A link into something folded unfolds it.
const unfold = () => {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  for (let each = target; each; each = each.parentElement) if (each.tagName === "DETAILS") each.open = true;
  if (target) target.scrollIntoView();
};
addEventListener("hashchange", unfold);
unfold();
