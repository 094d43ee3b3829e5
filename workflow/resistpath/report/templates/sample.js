"use strict";
(() => {
  const at = (id) => document.getElementById(id);
  const query = at("gene-query"), status = at("gene-status"), hits = at("gene-hits");
  const data = JSON.parse(at("gene-data").textContent);
  const most = 20;
  if (typeof DecompressionStream === "undefined") return;

  const inflate = async (text) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  };

  const read = async () => {
    const [names, planes] = await Promise.all([inflate(data.symbols), inflate(data.values)]);
    let before = "";
    return new TextDecoder().decode(names).match(/[\x01-\x1f][^\x01-\x1f]*/g).map((line, i) => {
      before = before.slice(0, line.charCodeAt(0) - 1) + line.slice(1);
      const level = planes[i], place = planes[data.n + i];
      return { name: before, level: level === 255 ? null : level / 10,
        place: place === 255 ? null : place };
    });
  };

  let genes = null;
  const number = (value, text) => {
    const cell = document.createElement("td");
    cell.className = "n";
    const inner = document.createElement("data");
    inner.value = value === null ? "" : String(value);
    inner.textContent = value === null ? "–" : text;
    cell.append(inner);
    return cell;
  };
  const row = (gene) => {
    const line = document.createElement("tr"), head = document.createElement("th");
    head.scope = "row";
    head.textContent = gene.name;
    const place = gene.place === 0 ? "<1" : gene.place === 100 ? ">99" : String(gene.place);
    const remark = document.createElement("td");
    remark.className = "g";
    const low = gene.level !== null && gene.level < 1;
    remark.textContent = [low && "below 1 TPM: too little signal for its level to be trusted",
      gene.place === null && "not measured in the reference"].filter(Boolean).join("; ");
    line.append(head, number(gene.level, (gene.level ?? 0).toFixed(1)), number(gene.place, place), remark);
    return line;
  };
  const show = async () => {
    const text = query.value.trim().toUpperCase();
    hits.hidden = true;
    if (!text) {
      status.textContent = "";
      return;
    }
    genes ??= read();
    const all = await genes;
    if (text !== query.value.trim().toUpperCase()) return;
    const rank = (name) => (name === text ? 0 : name.startsWith(text) ? 1 : 2);
    const found = all.map((gene) => [gene, gene.name.toUpperCase()])
      .filter(([, name]) => name.includes(text))
      .sort((a, b) => rank(a[1]) - rank(b[1]));
    hits.tBodies[0].replaceChildren(...found.slice(0, most).map(([gene]) => row(gene)));
    hits.hidden = !found.length;
    status.textContent = !found.length ? "No measured gene has this in its symbol."
      : found.length > most ? `${most} of ${found.length} genes shown.`
      : found.length === 1 ? "1 gene." : `${found.length} genes.`;
  };
  at("gene-controls").hidden = false;
  at("gene-note").hidden = true;
  query.addEventListener("input", show);
})();
