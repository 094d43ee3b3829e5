"""What the tests in a browser share: what overlaps, what axe says, which pages there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

WIDTHS = (375, 1400)

# Rectangles of the words a reader can see, cut to the boxes that scroll.
OVERLAPS = """() => {
  const boxes = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (!node.textContent.trim()) continue;
    const owner = node.parentElement;
    if (owner.closest("script, style, title, .skip")) continue;
    if (!owner.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })) continue;
    let left = -1e9, right = 1e9, top = -1e9, bottom = 1e9;
    for (let e = owner; e; e = e.parentElement) {
      if (getComputedStyle(e).overflowX === "visible") continue;
      const box = e.getBoundingClientRect();
      left = Math.max(left, box.left); right = Math.min(right, box.right);
      top = Math.max(top, box.top); bottom = Math.min(bottom, box.bottom);
    }
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const r of range.getClientRects()) {
      const box = { l: Math.max(r.left, left), r: Math.min(r.right, right),
        t: Math.max(r.top, top), b: Math.min(r.bottom, bottom), s: node.textContent.trim() };
      if (box.r - box.l > 1 && box.b - box.t > 1) boxes.push(box);
    }
  }
  boxes.sort((a, b) => a.t - b.t);
  const found = [];
  for (let i = 0; i < boxes.length; i++) {
    const a = boxes[i];
    for (let j = i + 1; j < boxes.length && boxes[j].t < a.b; j++) {
      const b = boxes[j];
      const wide = Math.min(a.r, b.r) - Math.max(a.l, b.l);
      const tall = Math.min(a.b, b.b) - Math.max(a.t, b.t);
      if (wide > 2 && tall > 0.35 * Math.min(a.b - a.t, b.b - b.t)) {
        found.push([a.s.slice(0, 60), b.s.slice(0, 60), wide, tall]);
      }
    }
  }
  return { found, boxes: boxes.length };
}"""


def overlaps(page: Any, name: str) -> None:
    """Nothing overlaps and nothing runs off the side, with all that can be opened open."""
    page.evaluate("() => document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    page.wait_for_function(
        "() => [...document.querySelectorAll('details[data-lazy]')].every((d) => d.dataset.made)"
    )
    size = page.evaluate("() => [document.documentElement.scrollWidth, window.innerWidth]")
    assert size[0] <= size[1], name
    drawn = page.evaluate(OVERLAPS)
    assert drawn["boxes"] > 100
    assert drawn["found"] == [], name


def accessible(page: Any, name: str) -> None:
    """axe-core finds no serious or critical violation."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
    )
    response = axe.Axe().run(page, options={"resultTypes": ["violations"]}).response
    grave = [
        (v["id"], v["impact"], [n["html"][:120] for n in v["nodes"][:3]])
        for v in response["violations"]
        if v["impact"] in ("serious", "critical")
    ]
    assert grave == [], name
    assert len(response["passes"]) > 15


def reports(results: Path) -> list[Path]:
    found = sorted((results / "reports").glob("*.html"))
    assert found
    return found


def some(results: Path) -> list[Path]:
    """The largest page, the smallest, and the one in the middle."""
    by_size = sorted(reports(results), key=lambda path: path.stat().st_size)
    return [by_size[0], by_size[len(by_size) // 2], by_size[-1]]
