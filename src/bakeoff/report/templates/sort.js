"use strict";
// Tables with data-sort get a button in each header cell; without JavaScript they stay plain.
for (const table of document.querySelectorAll("table[data-sort]")) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  heads.forEach((head, column) => {
    const value = (row) => row.cells[column].dataset.value;
    const isNumber = (text) => text !== "" && !Number.isNaN(Number(text));
    const numeric = [...body.rows].map(value).some(isNumber);
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      // Numbers start with the highest, words with "a"; the next click turns it around.
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
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
