"use strict";
// Colours, choices, tables on demand and downloads. All of it from the JSON in this page.
(function () {
  const D = JSON.parse(document.getElementById("heat-data").textContent);
  const NS = "http://www.w3.org/2000/svg";
  const MOST_ROWS = 2000;

  function el(tag, at, text) {
    const e = document.createElement(tag);
    Object.entries(at || {}).forEach(function (a) { e.setAttribute(a[0], a[1]); });
    if (text !== undefined) e.textContent = text;
    return e;
  }
  function svg(tag, at, parent, text) {
    const e = document.createElementNS(NS, tag);
    Object.entries(at || {}).forEach(function (a) { e.setAttribute(a[0], a[1]); });
    if (text !== undefined) e.textContent = text;
    if (parent) parent.appendChild(e);
    return e;
  }
  function num(v, digits) {
    if (v === null || v === undefined) return "–";
    return String(Number(v.toPrecision(digits || 3))).replace("-", "−");
  }
  function fixed(v) { return v === null ? "–" : v.toFixed(2).replace("-", "−"); }
  function pct(v) { return v === null ? "–" : v < 1 ? "<1" : v > 99 ? ">99" : String(Math.round(v)); }
  function range(a, b, show) { return a === null || b === null ? "" : " (" + show(a) + "–" + show(b) + ")"; }
  function one(v) { return v.toFixed(1).replace(/\.0$/, ""); }
  function select(label, options, chosen, act) {
    const l = el("label", {}, label + " "), s = el("select");
    options.forEach(function (o, i) { s.add(new Option(o, i, i === chosen, i === chosen)); });
    l.appendChild(s);
    s.addEventListener("change", function () { act(Number(s.value)); });
    return l;
  }

  // ---------------------------------------------------------------- what colours a sample
  const heatAt = [];
  D.order.forEach(function (sample, x) { heatAt[sample] = x; });

  function byAnnotation(a) {
    const numbers = a.kind === "numbers", span = a.maximum - a.minimum || 1;
    function step(v) { return Math.min(4, Math.floor((v - a.minimum) / span * 5)); }
    return {
      label: a.label,
      cls: function (i) { const v = a.values[i]; return v === null ? "cx" : numbers ? "s" + step(v) : "c" + v; },
      mark: function (i) { return numbers || a.values[i] === null ? 0 : a.values[i]; },
      text: function (i) { const v = a.values[i]; return v === null ? "not stated" : numbers ? num(v, 4) : a.levels[v]; },
      legend: (numbers ? [0, 1, 2, 3, 4].map(function (k) {
        return ["s" + k, 0, num(a.minimum + k * span / 5) + " to " + num(a.minimum + (k + 1) * span / 5)];
      }) : a.levels.map(function (l, k) { return ["c" + k, k, l + " (" + a.counts[k] + ")"]; }))
        .concat(a.values.some(function (v) { return v === null; }) ? [["cx", 0, "not stated"]] : [])
    };
  }
  function byMechanism(kind, m) {
    const row = D[kind].percentile[m];
    return {
      label: D.mechanisms[m] + ", " + kind + " percentile",
      cls: function (i) { const v = row[heatAt[i]]; return v === null ? "cx" : "h" + Math.min(9, Math.floor(v / 10)); },
      mark: function () { return 0; },
      text: function (i) { return pct(row[heatAt[i]]); },
      legend: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(function (k) { return ["h" + k, 0, k * 10 + " to " + (k + 1) * 10]; }).concat([["cx", 0, "not available"]])
    };
  }
  function first() {
    for (const name of ["response_binary", "response", "timepoint"]) {
      const at = D.annotations.findIndex(function (a) { return a.label === name; });
      if (at >= 0) return at;
    }
    return D.annotations.findIndex(function (a) { return a.kind === "levels"; });
  }
  function legend(into, colours) {
    into.replaceChildren(el("b", {}, colours.label));
    colours.legend.forEach(function (k) {
      const item = el("span"), s = svg("svg", { class: "key", viewBox: "0 0 16 14", "aria-hidden": "true" });
      svg("path", { class: k[0], d: "M8 7" + D.marks[k[1]] }, s);
      item.append(s, k[2]);
      into.appendChild(item);
    });
  }

  // ---------------------------------------------------------------- tracks over the heat map
  const trackChoice = document.getElementById("track-choice");
  const tracks = [-1, -1, -1];
  function drawTracks() {
    const levels = document.getElementById("track-levels");
    levels.replaceChildren();
    const shown = tracks.filter(function (t, k) { return t >= 0 && tracks.indexOf(t) === k; })
      .map(function (t) { return byAnnotation(D.annotations[t]); });
    shown.forEach(function (c) { const s = el("span", { class: "levels" }); legend(s, c); levels.appendChild(s); });
    document.querySelectorAll(".heat-grid").forEach(function (grid) {
      grid.querySelectorAll(".tracks").forEach(function (t) { t.remove(); });
      const box = grid.querySelector("svg.heat").viewBox.baseVal, cell = box.width / D.samples.length;
      shown.slice().reverse().forEach(function (c) {
        const row = el("div", { class: "tracks" });
        const s = svg("svg", { class: "track", viewBox: "0 0 " + box.width + " 10", preserveAspectRatio: "none",
          role: "img", style: "max-width:" + box.width + "px" });
        svg("title", {}, s, c.label + " of each sample");
        const paths = {};
        D.order.forEach(function (sample, x) {
          const k = c.cls(sample), gap = cell >= 6 ? 1 : 0;
          if (k !== "cx") paths[k] = (paths[k] || "") + "M" + one(x * cell) + " 0h" + one(cell - gap) + "v10h-" + one(cell - gap) + "z";
        });
        Object.keys(paths).forEach(function (k) { svg("path", { class: k, d: paths[k] }, s); });
        row.append(el("span", { class: "track-name" }, c.label), s);
        grid.prepend(row);
      });
    });
  }
  if (D.annotations.length && D.samples.length) {
    const names = ["none"].concat(D.annotations.map(function (a) { return a.label; }));
    tracks[0] = first();
    tracks[1] = D.annotations.findIndex(function (a, i) { return a.label === "timepoint" && i !== tracks[0]; });
    tracks.forEach(function (t, k) {
      trackChoice.appendChild(select("Annotation " + (k + 1), names, t + 1, function (v) { tracks[k] = v - 1; drawTracks(); }));
    });
    trackChoice.hidden = false;
    drawTracks();
  }

  // ---------------------------------------------------------------- embedding
  let colours = null;
  const choice = document.getElementById("embedding-choice");
  if (choice && D.embedding) {
    const options = D.annotations.map(byAnnotation);
    ["raw", "residual"].forEach(function (kind) {
      D.mechanisms.forEach(function (_, m) {
        if (D[kind].percentile[m].some(function (v) { return v !== null; })) options.push(byMechanism(kind, m));
      });
    });
    const paint = function (k) {
      colours = options[k];
      document.querySelectorAll('[data-points="embedding"] path[data-i]').forEach(function (p) {
        const i = Number(p.dataset.i), at = p.getAttribute("d").match(/^M[-\d.]+ [-\d.]+/)[0];
        p.setAttribute("class", colours.cls(i));
        p.setAttribute("d", at + D.marks[colours.mark(i)]);
      });
      legend(document.getElementById("embedding-levels"), colours);
    };
    if (options.length) {
      const start = Math.max(first(), 0);
      choice.appendChild(select("Colour by", options.map(function (o) { return o.label; }), start, paint));
      choice.hidden = false;
      paint(start);
    }
  }

  // ---------------------------------------------------------------- curves that are chosen
  function axes(s, x, y, xs, ys, xl, yl) {
    svg("path", { class: "end", d: "M" + x(xs[0]) + " " + y(ys[ys.length - 1]) + "V" + y(ys[0]) + "H" + x(xs[xs.length - 1]) }, s);
    xs.forEach(function (v) { svg("text", { class: "m", x: x(v), y: y(ys[0]) + 15 }, s, num(v)); });
    ys.forEach(function (v) { svg("text", { class: "e", x: x(xs[0]) - 6, y: y(v) + 3.5 }, s, num(v)); });
    svg("text", { class: "m", x: (x(xs[0]) + x(xs[xs.length - 1])) / 2, y: y(ys[0]) + 33 }, s, xl);
    svg("text", { class: "m", transform: "translate(12 " + (y(ys[0]) + y(ys[ys.length - 1])) / 2 + ") rotate(-90)" }, s, yl);
  }
  function sheet(width, height, title) {
    const s = svg("svg", { class: "fig", viewBox: "0 0 " + width + " " + height, role: "img", style: "max-width:" + width + "px" });
    svg("title", {}, s, title);
    return s;
  }
  const UNIT = [0, 0.25, 0.5, 0.75, 1];

  function rocPoints(row) {
    const points = [[0, 0]];
    let up = 0, right = 0, tied = false;
    for (const c of row.curve) {
      if (c === "(") { tied = true; continue; }
      if (c === ")") { tied = false; points.push([right, up]); continue; }
      if (c === "u") up += 1; else right += 1;
      if (!tied) points.push([right, up]);
    }
    const tpr = D.response.bands[up], fpr = D.response.bands[right];
    return points.map(function (p) {
      return { fp: p[0], tp: p[1], fpr: p[0] / right, tpr: p[1] / up,
        fprLow: fpr[p[0]][0], fprHigh: fpr[p[0]][1], tprLow: tpr[p[1]][0], tprHigh: tpr[p[1]][1] };
    });
  }
  function area(row) { return fixed(row.auc) + range(row.low, row.high, fixed); }
  function drawRoc(into, row) {
    const p = rocPoints(row);
    const title = row.label + ", " + row.view + ": AUC " + area(row) + "; " + row.n_responders + " responders of " + row.n;
    const s = sheet(420, 420, title);
    const x = function (v) { return 54 + v * 350; }, y = function (v) { return 376 - v * 350; };
    function path(list) { return list.map(function (q) { return one(x(q[0])) + " " + one(y(q[1])); }).join("L"); }
    const upper = p.map(function (q) { return [q.fprLow, q.tprHigh]; });
    const lower = p.map(function (q) { return [q.fprHigh, q.tprLow]; }).reverse();
    svg("path", { class: "area", d: "M" + path([[0, 0]].concat(upper, [[1, 1]], lower)) + "z" }, s);
    svg("path", { class: "end", d: "M" + path([[0, 0], [1, 1]]) }, s);
    svg("path", { class: "here", d: "M" + path(p.map(function (q) { return [q.fpr, q.tpr]; })) }, s);
    axes(s, x, y, UNIT, UNIT, "share of non-responders above", "share of responders above");
    svg("text", { class: "e ink", x: x(1), y: y(0.05) }, s, "AUC " + area(row) + ", q " + num(row.q));
    into.replaceChildren(el("p", { class: "paper" }, title), s);  // paper has no menu to say it
  }

  function drawSlopes(into, row) {
    const title = row.label + ", " + row.view + " percentile, " + row.before + " and " + row.after + ": " + row.n_pairs + " patients";
    const s = sheet(460, 400, title);
    const x = function (v) { return 70 + v * 320; }, y = function (v) { return 350 - v * 3.3; };
    svg("path", { class: "band", d: "M70 " + y(25) + "H390V" + y(75) + "H70z" }, s);
    [0, 25, 50, 75, 100].forEach(function (v) { svg("text", { class: "e", x: 60, y: y(v) + 3.5 }, s, v); });
    svg("path", { class: "end", d: "M70 " + y(100) + "V" + y(0) + "M390 " + y(100) + "V" + y(0) }, s);
    svg("text", { class: "m ink", x: 70, y: 370 }, s, row.before);
    svg("text", { class: "m ink", x: 390, y: 370 }, s, row.after);
    svg("text", { class: "m", transform: "translate(12 " + y(50) + ") rotate(-90)" }, s, row.view + " percentile");
    row.patients.forEach(function (_, i) {
      if (row.from[i] === null || row.to[i] === null) return;
      const r = row.responder[i], kind = r === null ? "line thin none" : r ? "line up" : "line dash down";
      svg("path", { class: kind, d: "M" + x(0) + " " + one(y(row.from[i])) + "L" + x(1) + " " + one(y(row.to[i])) }, s);
      [[0, row.from[i]], [1, row.to[i]]].forEach(function (e) {
        svg("path", { class: r === null ? "c7" : r ? "c0" : "c1", "data-i": i, d: "M" + x(e[0]) + " " + one(y(e[1])) + D.marks[r === null ? 3 : r ? 0 : 1] }, s);
      });
    });
    const box = el("div", { class: "points", "data-points": "slopes" });
    box.appendChild(s);
    const key = el("p", { class: "legend" });
    [["up", "responder"], ["dash down", "non-responder"], ["thin none", "not stated"]].forEach(function (k) {
      const item = el("span"), mark = svg("svg", { class: "key", viewBox: "0 0 16 14", "aria-hidden": "true" });
      svg("path", { class: "line " + k[0], d: "M0 7H16" }, mark);
      item.append(mark, k[1]);
      key.appendChild(item);
    });
    const said = el("p", { class: "said-line", role: "status" }, "\u00a0");
    into.replaceChildren(el("p", { class: "paper" }, title), key, box, said);
    points(box, said, function (i) {
      const r = row.responder[i];
      return row.patients[i] + " · " + pct(row.from[i]) + " to " + pct(row.to[i]) + " · " + (r === null ? "response not stated" : r ? "responder" : "non-responder");
    });
  }

  function drawSurvival(into, row) {
    const last = Math.max.apply(null, row.groups.map(function (g) { return g.last; }));
    const ticks = row.groups[0].risk_time;
    const title = row.label + ", " + row.view + ": survival above and below the cohort’s median, " + row.n + " patients, " + row.n_events + " events";
    const s = sheet(560, 340 + 18 * row.groups.length, title);
    const x = function (v) { return 110 + v / last * 430; }, y = function (v) { return 260 - v * 240; };
    row.groups.forEach(function (g, k) {
      let line = "", upper = "", lower = [];
      g.time.forEach(function (t, i) {
        const at = one(x(t)), next = one(x(i + 1 < g.time.length ? g.time[i + 1] : g.last));
        line += (i ? "V" : "M" + at + " ") + one(y(g.survival[i])) + "H" + next;
        const high = g.high[i] === null ? g.survival[i] : g.high[i], low = g.low[i] === null ? g.survival[i] : g.low[i];
        upper += (i ? "L" : "M") + at + " " + one(y(high)) + "L" + next + " " + one(y(high));
        lower.unshift(next + " " + one(y(low)), at + " " + one(y(low)));
      });
      svg("path", { class: "area" + k, d: upper + "L" + lower.join("L") + "z" }, s);
      svg("path", { class: "line " + (k ? "dash down" : "up"), d: line }, s);
      g.censored.forEach(function (t) {
        let i = 0;
        while (i + 1 < g.time.length && g.time[i + 1] <= t) i += 1;
        svg("path", { class: "line " + (k ? "down" : "up"), d: "M" + one(x(t)) + " " + one(y(g.survival[i]) - 4) + "v8" }, s);
      });
      svg("text", { class: "s ink", x: 330, y: 30 + 16 * k }, s, (k ? "– – " : "— ") + g.group + " (" + g.n + ")");
      svg("text", { class: "e", x: 94, y: 326 + 18 * k }, s, g.group);
      g.at_risk.forEach(function (v, i) { svg("text", { class: "m", x: x(g.risk_time[i]), y: 326 + 18 * k }, s, v); });
    });
    axes(s, x, y, ticks, UNIT, "time", "survival");
    svg("text", { class: "e ink", x: 94, y: 308 }, s, "at risk");
    svg("text", { class: "s", x: 330, y: 66 }, s, "hazard ratio " + fixed(row.hazard_ratio) + range(row.low, row.high, fixed) + ", q " + num(row.q));
    into.replaceChildren(el("p", { class: "paper" }, title), s);  // paper has no menu to say it
  }

  const current = {};
  function chooser(name, draw, rows) {
    const controls = document.querySelector('[data-chooser="' + name + '"]');
    if (!controls) return;
    const into = controls.parentElement.querySelector("[data-draw]");
    if (!rows.length) { into.textContent = "No row of the first page can be drawn."; return; }
    const steps = new Set(rows.map(function (r) { return r.before + r.after; })).size > 1;
    const key = function (r) {
      return r.label + (r.kind === "readout" ? " (readout)" : steps ? ", " + r.before + " to " + r.after : "");
    };
    const labels = Array.from(new Set(rows.map(key)));
    let label = Math.max(0, labels.findIndex(function (l) { return /inflamed|inflammation|interferon-γ|IFN-γ/i.test(l); })), view = 0;
    const views = ["raw", "residual"];
    function show() {
      const same = rows.filter(function (r) { return key(r) === labels[label]; });
      const row = same.find(function (r) { return r.view === views[view]; });
      current[name] = row || null;
      if (row) draw(into, row);
      else into.textContent = "There is no " + views[view] + " view of it.";
    }
    controls.append(
      select("Show", labels, label, function (v) { label = v; show(); }),
      select("View", views, view, function (v) { view = v; show(); }));
    controls.hidden = false;
    show();
  }

  // ---------------------------------------------------------------- points under the pointer
  function points(box, said, describe, open, also) {
    const marks = Array.from(box.querySelectorAll("path[data-i]"));
    if (!marks.length) return;
    const places = marks.map(function (m) { return m.getAttribute("d").match(/^M([-\d.]+) ([-\d.]+)/).slice(1).map(Number); });
    const sorted = places.map(function (_, i) { return i; }).sort(function (a, b) { return places[a][0] - places[b][0] || places[a][1] - places[b][1]; });
    const svgEl = box.querySelector("svg");
    let at = -1;
    function go(k) {
      box.querySelectorAll(".here, .also").forEach(function (m) { m.classList.remove("here", "also"); });
      at = k;
      if (k < 0) { said.textContent = "\u00a0"; return; }
      const i = Number(marks[k].dataset.i);
      marks[k].classList.add("here");
      marks.forEach(function (m) { if (also && also(i, Number(m.dataset.i))) m.classList.add("also"); });
      said.textContent = describe(i);
    }
    function nearest(event) {
      const box = svgEl.getBoundingClientRect(), scale = svgEl.viewBox.baseVal.width / box.width;
      const x = (event.clientX - box.left) * scale, y = (event.clientY - box.top) * scale;
      let best = -1, least = 20 * 20;
      places.forEach(function (p, i) {
        const far = (p[0] - x) * (p[0] - x) + (p[1] - y) * (p[1] - y);
        if (far < least) { least = far; best = i; }
      });
      return best;
    }
    box.tabIndex = 0;
    box.setAttribute("role", "application");
    box.setAttribute("aria-label", svgEl.querySelector("title").textContent + ". Arrow keys move between points" + (open ? ", Enter opens the sample." : "."));
    box.addEventListener("pointermove", function (event) { go(nearest(event)); });
    box.addEventListener("blur", function () { go(-1); });
    box.addEventListener("click", function (event) { const k = nearest(event); go(k); if (k >= 0 && open) open(Number(marks[k].dataset.i)); });
    box.addEventListener("keydown", function (event) {
      const move = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
      if (event.key === "Enter" && at >= 0 && open) { open(Number(marks[at].dataset.i)); return; }
      if (!move) return;
      event.preventDefault();
      const now = sorted.indexOf(at);
      go(sorted[Math.min(sorted.length - 1, Math.max(0, now < 0 ? 0 : now + move))]);
    });
  }
  function openSample(i) { if (D.pages[i]) window.location.href = D.pages[i]; }
  function wire(figure, describe, open, also) {
    const box = document.querySelector('[data-figure="' + figure + '"] .points');
    if (box) points(box, box.parentElement.querySelector(".said-line"), describe, open, also);
  }
  wire("phenotype-map", function (i) {
    const p = D.phenotype;
    return D.table[i] + " · " + p.label[i] + " · T-cell-inflamed " + pct(p.x[i]) + range(p.x_low[i], p.x_high[i], Math.round) +
      " · stromal " + pct(p.y[i]) + range(p.y_low[i], p.y_high[i], Math.round);
  }, openSample);
  ["pca", "umap"].forEach(function (f) {
    wire(f, function (i) { return D.table[i] + (colours ? " · " + colours.label + ": " + colours.text(i) : ""); }, openSample);
  });
  wire("volcano", function (i) {
    const r = D.response.rows[i];
    return r.label + " · " + r.view + " · AUC " + area(r) + " · p " + num(r.p_perm) + " · q " + num(r.q);
  }, null, function (i, j) {
    const a = D.response.rows[i], b = D.response.rows[j];
    return i !== j && a.kind === b.kind && a.name === b.name;
  });
  if (D.response) chooser("response", drawRoc, D.response.rows.filter(function (r) { return r.curve && /u/.test(r.curve) && /r/.test(r.curve); }));
  if (D.pairs) chooser("pairs", drawSlopes, D.pairs.rows);
  if (D.survival) chooser("survival", drawSurvival, D.survival.rows);

  // ---------------------------------------------------------------- tables behind the pictures
  const TABLES = {
    heat: function () {
      const rows = [];
      D.samples.forEach(function (s, x) {
        D.mechanisms.forEach(function (m, y) {
          const v = function (k) { const c = D[k].verdict[y][x]; return c < 0 ? null : D.verdicts[c]; };
          rows.push([s, m, D.raw.percentile[y][x], v("raw"), D.residual.percentile[y][x], v("residual"), D.readings[D.reading[y][x]]]);
        });
      });
      return { head: ["sample", "mechanism", "percentile", "verdict", "residual_percentile", "residual_verdict", "reading"], rows: rows };
    },
    phenotype: function () {
      const p = D.phenotype, keys = ["x", "x_low", "x_high", "y", "y_low", "y_high", "p_inflamed", "p_excluded", "p_desert"];
      return { head: ["sample", "phenotype"].concat(keys), rows: D.table.map(function (s, i) {
        return [s, p.label[i]].concat(keys.map(function (k) { return p[k][i]; }));
      }) };
    },
    embedding: function () {
      const keys = ["pc1", "pc2", "umap1", "umap2"];
      return { head: ["sample"].concat(keys, colours ? [colours.label] : []), rows: D.table.map(function (s, i) {
        return [s].concat(keys.map(function (k) { return D.embedding[k][i]; }), colours ? [colours.text(i)] : []);
      }) };
    },
    response: function () {
      const keys = ["kind", "name", "label", "view", "n", "n_responders", "auc", "low", "high", "p_perm", "q"];
      return { head: keys, rows: D.response.rows.map(function (r) { return keys.map(function (k) { return r[k]; }); }) };
    },
    roc: function () {
      const r = current.response;
      if (!r) return { head: [], rows: [] };
      const keys = ["tp", "fp", "tpr", "tprLow", "tprHigh", "fpr", "fprLow", "fprHigh"];
      return { head: ["readout", "view", "responders_above", "non_responders_above", "sensitivity", "sensitivity_low", "sensitivity_high",
        "false_positive_share", "false_positive_low", "false_positive_high"],
      rows: rocPoints(r).map(function (p) { return [r.label, r.view].concat(keys.map(function (k) { return p[k]; })); }) };
    },
    slopes: function () {
      const r = current.pairs;
      if (!r) return { head: [], rows: [] };
      return { head: ["patient", "mechanism", "view", "responder", r.before, r.after], rows: r.patients.map(function (p, i) {
        const answer = r.responder[i];
        return [p, r.label, r.view, answer === null ? null : answer ? "yes" : "no", r.from[i], r.to[i]];
      }) };
    },
    survival: function () {
      const rows = [], r = current.survival;
      if (r) r.groups.forEach(function (g) {
        g.time.forEach(function (t, i) { rows.push([r.label, r.view, g.group, t, g.survival[i], g.low[i], g.high[i]]); });
      });
      return { head: ["mechanism", "view", "group", "time", "survival", "low", "high"], rows: rows };
    }
  };
  document.querySelectorAll("[data-lazy]").forEach(function (d) {
    d.addEventListener("toggle", function () {
      if (!d.open || d.dataset.made) return;
      d.dataset.made = "yes";
      const made = TABLES[d.dataset.lazy](), t = el("table", { class: "wide" });
      const few = made.rows.slice(0, MOST_ROWS);
      t.createCaption().textContent = made.rows.length > few.length ?
        "The first " + few.length + " of " + made.rows.length + " rows; TSV has all." : "Rounded; the result tables have every digit.";
      const head = t.createTHead().insertRow(), body = t.createTBody();
      made.head.forEach(function (h) { head.appendChild(el("th", { scope: "col" }, h)); });
      few.forEach(function (r) {
        const row = body.insertRow();
        r.forEach(function (v, i) {
          row.appendChild(i ? el("td", typeof v === "number" ? { class: "n" } : {}, typeof v === "number" ? num(v, 4) : v === null ? "–" : v)
            : el("th", { scope: "row" }, v));
        });
      });
      d.querySelector("div").appendChild(t);
    });
  });

  // ---------------------------------------------------------------- downloads
  function save(name, type, text) {
    const url = URL.createObjectURL(new Blob([text], { type: type }));
    const a = el("a", { href: url, download: (D.cohort + "-" + name).replace(/[^A-Za-z0-9._-]+/g, "-") });
    a.click();
    setTimeout(function () { URL.revokeObjectURL(url); }, 10000);
  }
  function cell(v) {
    if (v === null || v === undefined) return "NA";
    if (typeof v === "number") return String(v);
    const text = String(v).replace(/[\t\r\n]+/g, " ");
    // A spreadsheet must not compute it; -1 is a number. As in the result tables.
    return /^[\s\ufeff\u200b']*(?:[=+@]|-(?![\d.]|$))/.test(text) ? "'" + text : text;
  }
  function tsv(made) {
    return [made.head].concat(made.rows).map(function (r) { return r.map(cell).join("\t"); }).join("\n") + "\n";
  }
  const PLAIN = { fill: "rgb(0, 0, 0)", stroke: "none", "stroke-width": "1px", "stroke-dasharray": "none", opacity: "1",
    "text-anchor": "start", "stroke-linecap": "butt" };
  function frozen(node) {  // a copy with its colours written out
    const copy = node.cloneNode(true);
    const from = [node].concat(Array.from(node.querySelectorAll("*")));
    const to = [copy].concat(Array.from(copy.querySelectorAll("*")));
    from.forEach(function (e, i) {
      const style = getComputedStyle(e), tag = e.tagName;
      to[i].removeAttribute("class"); to[i].removeAttribute("style"); to[i].removeAttribute("data-i");
      if (!/^(path|text|circle|rect)$/.test(tag)) return;
      Object.keys(PLAIN).forEach(function (k) {
        const v = style.getPropertyValue(k);
        if (v && v !== PLAIN[k] && (k !== "text-anchor" || tag === "text")) to[i].setAttribute(k, v);
      });
      if (tag === "text") { to[i].setAttribute("font-size", style.fontSize); to[i].setAttribute("font-family", "sans-serif"); }
    });
    return copy;
  }
  function page(width, height) {
    const s = svg("svg", { xmlns: NS, width: width, height: height, viewBox: "0 0 " + width + " " + height });
    svg("rect", { width: width, height: height, fill: getComputedStyle(document.documentElement).backgroundColor }, s);
    return s;
  }
  function place(into, node, x, y, w, h) {
    const copy = frozen(node);
    ["x", "y", "width", "height"].forEach(function (k, i) { copy.setAttribute(k, [x, y, w, h][i]); });
    into.appendChild(copy);
  }
  function heatPicture() {
    const ink = getComputedStyle(document.body).color, grids = Array.from(document.querySelectorAll(".heat-grid"));
    const box = grids[0].querySelector("svg.heat").viewBox.baseVal, left = 300;
    const extra = grids[0].querySelectorAll(".track").length * 15;
    const tall = box.height + extra + 50;
    const s = page(left + box.width + 10, tall * grids.length);
    function label(text, x, y, anchor, weight) {
      svg("text", { x: x, y: y, fill: ink, "font-size": "11px", "font-family": "sans-serif", "text-anchor": anchor, "font-weight": weight || "400" }, s, text);
    }
    grids.forEach(function (grid, g) {
      let top = g * tall + 34;
      label(grid.parentElement.querySelector("h3").textContent, left, top - 12, "start", "700");
      grid.querySelectorAll(".tracks").forEach(function (t) {
        label(t.querySelector(".track-name").textContent, left - 8, top + 9, "end");
        place(s, t.querySelector("svg"), left, top, box.width, 11);
        top += 15;
      });
      D.mechanisms.forEach(function (m, y) { label(m, left - 8, top + y * D.row + 11, "end"); });
      place(s, grid.querySelector("svg.heat"), left, top, box.width, box.height);
    });
    return s;
  }
  function picture(figure) {
    if (figure.dataset.table === "heat") return heatPicture();
    const node = figure.querySelector("svg.fig");
    if (!node) return null;
    const title = D.cohort + ": " + node.querySelector("title").textContent.split(";")[0];
    const box = node.viewBox.baseVal, s = page(Math.max(box.width, 6.2 * title.length + 12), box.height + 20);
    place(s, node, 0, 20, box.width, box.height);
    svg("text", { x: 6, y: 13, fill: getComputedStyle(document.body).color, "font-size": "11px", "font-family": "sans-serif" }, s, title);
    return s;
  }
  document.querySelectorAll("figure[data-table]").forEach(function (figure) {
    const name = figure.dataset.figure;
    const tools = el("div", { class: "tools" });
    const asPicture = el("button", { type: "button", "aria-label": "Download " + name + " as SVG" }, "SVG");
    const asTable = el("button", { type: "button", "aria-label": "Download the data of " + name + " as TSV" }, "TSV");
    asPicture.addEventListener("click", function () {
      const s = picture(figure);
      if (s) save(name + ".svg", "image/svg+xml", new XMLSerializer().serializeToString(s));
    });
    asTable.addEventListener("click", function () { save(name + ".tsv", "text/tab-separated-values", tsv(TABLES[figure.dataset.table]())); });
    tools.append(asPicture, asTable);
    figure.appendChild(tools);
  });

  // Tables of the page as they stand: numbers unrounded.
  function heads(t) {  // names of the columns, those of a group after the group's
    const grid = [];
    Array.from(t.tHead.rows).forEach(function (r, y) {
      grid[y] = grid[y] || [];
      let x = 0;
      Array.from(r.cells).forEach(function (c) {
        while (grid[y][x] !== undefined) x += 1;
        for (let dy = 0; dy < c.rowSpan; dy += 1) {
          grid[y + dy] = grid[y + dy] || [];
          for (let dx = 0; dx < c.colSpan; dx += 1) grid[y + dy][x + dx] = dy ? "" : c.textContent.trim();
        }
      });
    });
    return grid[0].map(function (_, x) { return grid.map(function (r) { return r[x]; }).filter(Boolean).join(" "); });
  }
  document.querySelectorAll("table[id]").forEach(function (t) {
    const button = el("button", { type: "button", "aria-label": "Download the table " + t.id + " as TSV" }, "TSV");
    button.addEventListener("click", function () {
      const rows = [];
      Array.from(t.tBodies).forEach(function (b) {
        Array.from(b.rows).forEach(function (r) {
          if (r.hidden || r.classList.contains("axisrow")) return;
          const row = [];
          Array.from(r.cells).forEach(function (c) {
            const data = c.querySelectorAll("data"), text = c.textContent.trim().replace(/\s+/g, " ");
            const number = data.length === 1 && text === data[0].textContent;
            row.push(number ? (data[0].value === "" ? null : Number(data[0].value)) : text);
            for (let k = 1; k < c.colSpan; k += 1) row.push(null);
          });
          rows.push(row);
        });
      });
      save(t.id + ".tsv", "text/tab-separated-values", tsv({ head: heads(t), rows: rows }));
    });
    const tools = el("div", { class: "tools" });
    tools.appendChild(button);
    const frame = t.closest(".wrap") || t;
    frame.after(tools);
  });
})();
