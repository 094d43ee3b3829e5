"use strict";
// Sorting, filtering and the line under the heat map. The page is whole without it.
(function () {
  const table = document.getElementById("samples");
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const heads = Array.from(table.tHead.rows[0].cells);

  function cell(row, i) {
    const data = row.cells[i].querySelector("data");
    if (data && data.value !== "") return Number(data.value);
    const text = row.cells[i].textContent.trim();
    return text === "–" || text === "not stated" ? null : text;
  }

  // A column of a sheet is text; where all of it reads as numbers it is sorted as numbers.
  function values(i) {
    const found = rows.map(function (row) { return cell(row, i); });
    const known = found.filter(function (v) { return v !== null; });
    const numbers = known.every(function (v) { return v !== "" && Number.isFinite(Number(v)); });
    return numbers ? found.map(function (v) { return v === null ? null : Number(v); }) : found;
  }

  function compare(a, b) {
    if (a === null || b === null) return (a === null) - (b === null);
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a).localeCompare(String(b), "en", { numeric: true });
  }

  heads.forEach(function (head, i) {
    const button = document.createElement("button");
    button.type = "button";
    while (head.firstChild) button.appendChild(head.firstChild);
    head.appendChild(button);
    button.addEventListener("click", function () {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach(function (h) { h.removeAttribute("aria-sort"); });
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const found = values(i);
      const keyed = rows.map(function (row, at) { return [found[at], at, row]; });
      keyed.sort(function (a, b) {
        const missing = a[0] === null || b[0] === null;
        const order = compare(a[0], b[0]);
        return (down && !missing ? -order : order) || a[1] - b[1];
      });
      keyed.forEach(function (k) { body.appendChild(k[2]); });
    });
  });

  const controls = document.getElementById("controls");
  const search = document.getElementById("filter");
  const shown = document.getElementById("shown");
  const choices = [];
  heads.forEach(function (head, i) {
    if (!head.hasAttribute("data-choice")) return;
    const values = Array.from(new Set(rows.map(function (r) { return r.cells[i].textContent.trim(); })));
    if (values.length < 2 || values.length > 8 || values.some(function (v) { return v.length > 24; })) return;
    const label = document.createElement("label");
    const select = document.createElement("select");
    label.append(head.textContent + " ", select);
    select.add(new Option("all", "", true));
    values.sort(compare).forEach(function (v) { select.add(new Option(v, "=" + v)); });
    document.getElementById("choices").appendChild(label);
    select.addEventListener("change", filter);
    choices.push([i, select]);
  });
  const texts = rows.map(function (row) { return row.textContent.toLowerCase(); });

  function filter() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    rows.forEach(function (row, at) {
      const keep = words.every(function (w) { return texts[at].includes(w); }) &&
        choices.every(function (c) {
          return c[1].value === "" || "=" + row.cells[c[0]].textContent.trim() === c[1].value;
        });
      row.hidden = !keep;
      if (keep) count += 1;
    });
    shown.textContent = count + " of " + rows.length + " shown";
  }
  search.addEventListener("input", filter);
  controls.hidden = false;
  filter();

  // Heat map: name the cell under the pointer; arrow keys move, Enter opens the sample.
  const heat = JSON.parse(document.getElementById("heat-data").textContent);
  const line = document.getElementById("under");
  const n = heat.samples.length;
  if (!n) return;
  document.querySelectorAll(".heat-plot").forEach(function (plot) {
    const kind = plot.dataset.panel;
    const svg = plot.querySelector("svg");
    const frame = document.createElement("div");
    frame.className = "cursor";
    frame.hidden = true;
    plot.appendChild(frame);
    plot.tabIndex = 0;
    plot.setAttribute("role", "application");
    plot.setAttribute("aria-label", "Heat map, " + kind + ". Arrow keys move between cells, Enter opens the sample.");
    plot.setAttribute("aria-describedby", "under");
    let x = 0, y = 0;

    function show() {
      const box = svg.getBoundingClientRect();
      const w = box.width / n, h = box.height / heat.mechanisms.length;
      frame.hidden = false;
      frame.style.left = x * w - 1 + "px";
      frame.style.top = y * h - 1 + "px";
      frame.style.width = Math.max(w, 3) + "px";
      frame.style.height = h * 0.85 + "px";
      const p = heat[kind].percentile[y][x];
      const v = heat[kind].verdict[y][x];
      line.textContent = heat.samples[x] + " · " + heat.mechanisms[y] + " · " + (v < 0 ? "no " + kind :
        kind + " percentile " + (p === null ? "not available" : p < 1 ? "<1" : p > 99 ? ">99" : Math.round(p)) +
        " · " + heat.verdicts[v]) + " · " + heat.readings[heat.reading[y][x]];
    }
    function at(event) {
      const box = svg.getBoundingClientRect();
      x = Math.min(n - 1, Math.max(0, Math.floor((event.clientX - box.left) / box.width * n)));
      y = Math.min(heat.mechanisms.length - 1,
        Math.max(0, Math.floor((event.clientY - box.top) / box.height * heat.mechanisms.length)));
      show();
    }
    function open() {
      if (heat.links[x]) window.location.href = heat.links[x];
    }
    const title = svg.querySelector("title");
    if (title) title.remove();
    plot.addEventListener("pointermove", at);
    plot.addEventListener("click", function (event) { at(event); open(); });
    plot.addEventListener("focus", show);
    plot.addEventListener("blur", function () { frame.hidden = true; });
    plot.addEventListener("keydown", function (event) {
      const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
      if (event.key === "Enter") { open(); return; }
      if (!moves[event.key]) return;
      event.preventDefault();
      x = Math.min(n - 1, Math.max(0, x + moves[event.key][0]));
      y = Math.min(heat.mechanisms.length - 1, Math.max(0, y + moves[event.key][1]));
      show();
    });
  });
})();
