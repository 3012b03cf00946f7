(() => {
  "use strict";
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const numbers = head.classList.contains("n");
      // A share is as large as the number before it, which is not rounded.
      const from = head.classList.contains("share") ? column - 1 : column;
      const value = (row) => {
        const text = row.cells[from].textContent.trim();
        return numbers ? Number(text.replace(/[^\d.]/g, "")) : text;
      };
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const before = head.getAttribute("aria-sort");
        const up = before ? before === "descending" : !(numbers || head.classList.contains("t"));
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const rows = [...table.tBodies[0].rows].map((row) => [value(row), row]);
        const order = new Intl.Collator("en", { numeric: true });
        rows.sort(([x], [y]) => (up ? 1 : -1) * (numbers ? x - y : order.compare(x, y)));
        table.tBodies[0].append(...rows.map(([, row]) => row));
      });
    });
  }
  const section = document.querySelector(".addresses");
  if (section) {
    const [body] = section.querySelector("table").tBodies;
    const others = section.querySelector(".others");
    const lines = others ? others.textContent.trim().split("\n") : [];
    const { named, unnamed } = section.dataset;
    const input = section.querySelector("#find");
    const output = section.querySelector("output");
    const most = 100; // rows are made of so many lines
    const number = (count) => Number(count).toLocaleString("en");
    const names = new Map();
    for (const head of document.querySelectorAll("[aria-labelledby=countries] tbody th")) {
      const code = head.querySelector(".code").textContent;
      names.set(code, head.textContent.replace(code, "").trim());
    }
    const matches = (asked, ip, code) =>
      ip.startsWith(asked) || code.toLowerCase() === asked || (names.get(code) ?? "").toLowerCase().includes(asked);
    const rowOf = (line) => {
      const [ip, country, total, ...times] = line.split(" ");
      const texts = [ip, names.get(country) ?? "", total, times[0], times.at(-1)];
      const row = body.rows[0].cloneNode(true);
      const columns = row.cells.length === 4 ? [0, 1, 2, 4] : [0, 1, 2, 3, 4];
      row.className = "hit found";
      row.cells[0].title = names.get(country) ?? "";
      row.cells[0].querySelector("small").textContent = country;
      row.cells[0].querySelector(".address").textContent = ip;
      [...row.cells].forEach((cell, at) => at && (cell.textContent = texts[columns[at]] ?? ""));
      return row;
    };
    const find = () => {
      const asked = input.value.trim().toLowerCase();
      section.classList.toggle("searching", asked !== "");
      body.querySelectorAll(".found").forEach((row) => row.remove());
      output.textContent = "";
      if (!asked) return;
      let found = 0;
      for (const row of body.rows) {
        const ip = row.querySelector(".address").textContent;
        const hit = matches(asked, ip, row.dataset.c);
        row.classList.toggle("hit", hit);
        found += hit;
      }
      const more = lines.filter((line) => matches(asked, line, line.split(" ", 2)[1]));
      body.append(...more.slice(0, most).map(rowOf));
      found += more.length;
      const hidden = more.length > most ? `, ${number(more.length - most)} of them are not shown` : "";
      const beyond = Number(unnamed) ? `; ${number(unnamed)} more are not on this page` : "";
      output.textContent = `${found ? number(found) : "None"} of ${number(named)}${hidden}${beyond}`;
    };
    input.addEventListener("input", find);
    section.querySelector(".search").hidden = false;
    find(); // what was typed before the page was loaded again
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
