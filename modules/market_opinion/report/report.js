"use strict";
// Everything is there without this script; it sorts tables, filters quotes, and opens what is folded for the printer.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  const value = (row, column) => {
    const cell = row.cells[column];
    const number = cell.dataset.value;
    return number === undefined ? cell.textContent.trim() : number === "" ? -Infinity : Number(number);
  };

  const sort = (table, column, way) => {
    const body = table.tBodies[0];
    const sign = way === "ascending" ? 1 : -1;
    const rows = [...body.rows].sort((one, other) => {
      const [a, b] = [value(one, column), value(other, column)];
      return sign * (typeof a === "number" ? a - b || 0 : a.localeCompare(b, "en"));
    });
    body.append(...rows);
    all("thead th", table).forEach((head, number) => {
      if (number === column) head.setAttribute("aria-sort", way);
      else head.removeAttribute("aria-sort");
    });
  };

  for (const table of all("table.sortable")) {
    all("thead th", table).forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const first = head.classList.contains("number") && column > 0 ? "descending" : "ascending";
        const second = first === "descending" ? "ascending" : "descending";
        sort(table, column, head.getAttribute("aria-sort") === first ? second : first);
      });
    });
  }

  const form = document.getElementById("filters");
  if (form) {
    const [brand, aspect, picked, text] = ["brand", "aspect", "picked", "text"].map((name) =>
      document.getElementById(`filter-${name}`),
    );
    const quotes = all("#quotes li");
    const words = new Map(quotes.map((quote) => [quote, quote.textContent.toLowerCase()]));

    const filter = () => {
      const wanted = text.value.trim().toLowerCase();
      const isFiltered = Boolean(brand.value || aspect.value || picked.value || wanted);
      let shown = 0;
      for (const section of all("#quotes .of-brand")) {
        for (const group of all("[data-aspect]", section)) {
          for (const quote of all("li", group)) {
            const fits =
              (!brand.value || section.dataset.brand === brand.value) &&
              (!aspect.value || group.dataset.aspect === aspect.value) &&
              (!picked.value || quote.dataset.picked === picked.value) &&
              words.get(quote).includes(wanted);
            quote.hidden = !fits;
            shown += fits ? 1 : 0;
          }
          group.hidden = !group.querySelector("li:not([hidden])");
          if (group.tagName === "DETAILS") group.open = isFiltered && !group.hidden;
        }
        section.hidden = !section.querySelector("li:not([hidden])");
      }
      document.getElementById("filter-count").textContent = `${shown} of ${quotes.length} quotes`;
    };

    form.hidden = false;
    form.addEventListener("input", filter);
    form.addEventListener("reset", () => setTimeout(filter));
    form.addEventListener("submit", (event) => event.preventDefault());
    for (const cell of all("#aspects a[data-aspect]")) {
      cell.addEventListener("click", () => {
        form.reset();
        brand.value = cell.dataset.brand;
        aspect.value = cell.dataset.aspect;
        filter();
      });
    }
    filter();
  }

  const unfolded = new Set(); // some browsers announce one printing twice
  addEventListener("beforeprint", () => {
    for (const folded of all("details:not([open])")) {
      folded.open = true;
      unfolded.add(folded);
    }
  });
  addEventListener("afterprint", () => {
    for (const folded of unfolded) folded.open = false;
    unfolded.clear();
  });
})();
