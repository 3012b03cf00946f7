(() => {
  "use strict";
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const numbers = head.classList.contains("n");
      const value = (row) => {
        const cell = row.cells[column];
        return numbers ? Number(cell.dataset.v) : cell.textContent.trim();
      };
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const before = head.getAttribute("aria-sort");
        const up = before ? before === "descending" : !numbers;
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const rows = [...table.tBodies[0].rows].sort((a, b) => {
          const [x, y] = [value(a), value(b)];
          return (up ? 1 : -1) * (numbers ? x - y : x.localeCompare(y, "en", { numeric: true }));
        });
        table.tBodies[0].append(...rows);
      });
    });
  }
  const map = document.querySelector("svg.map");
  if (!map) return;
  const [name, figures] = document.querySelector(".readout").children;
  const first = [name.textContent, figures.textContent];
  const cursor = map.querySelector(".cursor");
  const show = (area) => {
    const title = area && area.querySelector("title");
    const said = title && title.textContent;
    const colon = said ? said.lastIndexOf(": ") : 0;
    [name.textContent, figures.textContent] = said ? [said.slice(0, colon), said.slice(colon + 2)] : first;
    cursor.setAttribute("d", (title && area.getAttribute("d")) || "");
  };
  const figure = map.parentElement; // an SVG element that listens for focus could be focused itself
  figure.addEventListener("pointerover", (event) => show(event.target.closest(".a")));
  figure.addEventListener("pointerleave", () => show(null));
  figure.addEventListener("focusin", (event) => show(event.target.closest(".a")));
  figure.addEventListener("focusout", () => show(null));
})();
