"""How the page looks and what little it does: one sheet, light, dark and printed, and one script."""

_LIGHT = """color-scheme: light; --bg: #fdfdfc; --panel: #f3f4f2; --ink: #1d2329; --soft: #545e68; --rule: #d3d8db;
  --accent: #0b62a4; --good: #12714a; --bad: #b3261e; --heat: 11 98 164; --curve0: #0b62a4; --curve1: #b8520a;
  --curve2: #12714a; --curve3: #8e3a9d; --curve4: #7a5c00; --curve5: #b3261e;"""
_DARK = """color-scheme: dark; --bg: #14181c; --panel: #1d2329; --ink: #e7eaec; --soft: #a7b1ba; --rule: #3a444d;
  --accent: #7cbcf0; --good: #6fd0a2; --bad: #ff9d94; --heat: 124 188 240; --curve0: #7cbcf0; --curve1: #f2a662;
  --curve2: #6fd0a2; --curve3: #d79ae4; --curve4: #e3c65b; --curve5: #ff9d94;"""
_THEMES = f""":root, :root[data-theme=light] {{ {_LIGHT} }}
@media (prefers-color-scheme: dark) {{ :root:not([data-theme=light]) {{ {_DARK} }} }}
:root[data-theme=dark] {{ {_DARK} }}
@media print {{ :root, :root[data-theme], :root:not([data-theme=light]) {{ {_LIGHT} }} }}
"""

STYLE = (
    _THEMES
    + """
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main, header, footer { max-width: 1080px; margin: 0 auto; padding: 0 24px; }
header { display: flex; flex-wrap: wrap; gap: 8px 24px; align-items: baseline; padding-top: 32px; }
h1 { font-size: 28px; margin: 0; flex: 1; }
h2 { font-size: 23px; margin: 48px 0 8px; border-top: 2px solid var(--ink); padding-top: 16px;
  overflow-wrap: anywhere; }
h3 { font-size: 17px; margin: 32px 0 8px; }
p { margin: 8px 0; max-width: 75ch; } .note, footer, .tick, caption, output { color: var(--soft); }
footer { padding: 48px 24px; font-size: 14px; }
button { font: inherit; padding: 4px 12px; color: var(--ink); background: var(--panel); border: 1px solid var(--soft);
  border-radius: 6px; cursor: pointer; }
a { color: var(--accent); } nav ul { padding-left: 20px; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.key-figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: 12px;
  margin: 16px 0; padding: 0; }
.key-figures div { background: var(--panel); border-radius: 8px; padding: 12px 10px; }
.key-figures dt { color: var(--soft); font-size: 14px; } .key-figures dd { margin: 0; font-size: 20px;
  font-weight: 600; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 16px 24px; }
figure { margin: 12px 0; min-width: 0; } figcaption { display: flex; flex-wrap: wrap; gap: 2px 16px;
  margin-bottom: 4px; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 14px; font-size: 14px; color: var(--soft); }
.key { display: inline-block; width: 26px; border-top: 3px solid; margin: 0 6px 4px 0; vertical-align: middle; }
.key.d1 { border-top-style: dashed; } .key.d2, .key.d3 { border-top-style: dotted; }
svg { display: block; width: 100%; height: auto; overflow: visible; } .tick { fill: var(--soft); font-size: 13px; }
.grid { stroke: var(--rule); } .axis { stroke: var(--soft); } .cursor { stroke: var(--ink); stroke-dasharray: 3 3; }
.curve { fill: none; stroke: currentColor; stroke-width: 2; } .curve.faint { stroke-width: 1; opacity: 0.45; }
.dot { fill: currentColor; }
.c0 { color: var(--curve0); } .c1 { color: var(--curve1); } .c2 { color: var(--curve2); }
.c3 { color: var(--curve3); } .c4 { color: var(--curve4); } .c5 { color: var(--curve5); }
output { display: block; font-size: 14px; min-height: 1.5em; }
.wide { overflow-x: auto; } table { border-collapse: collapse; margin: 8px 0; font-variant-numeric: tabular-nums;
  width: 100%; }
caption { text-align: left; font-size: 14px; padding-bottom: 4px; }
th, td { padding: 3px 10px; text-align: right; border-bottom: 1px solid var(--rule); } th { font-weight: 600; }
th[scope=row], th[scope=col]:first-child, .text :is(td, th) { text-align: left; } .text td { overflow-wrap: anywhere; }
.matrix th[scope=col]:not(:first-child) { text-align: center; }
.matrix th[scope=col]:first-child { white-space: nowrap; }
.classes :is(td, th):last-child { text-align: left; white-space: nowrap; }
.matrix td { min-width: 34px; width: 400px; text-align: center; border: 1px solid var(--rule);
  background: rgb(var(--heat) / var(--share, 0)); }
.matrix td.right { outline: 2px solid var(--good); outline-offset: -2px; font-weight: 700; background: none; }
.matrix td.best { outline: 2px solid var(--good); outline-offset: -2px; font-weight: 700; }
.mistakes { display: grid; grid-template-columns: repeat(auto-fill, minmax(200px, 1fr)); gap: 12px; padding: 0;
  list-style: none; }
.mistakes li { background: var(--panel); border-radius: 8px; padding: 12px; display: grid;
  grid-template-columns: 76px 1fr;
  gap: 4px 12px; font-size: 14px; break-inside: avoid; }
.mistakes p { margin: 0; grid-column: 1 / -1; } .bars { display: grid; gap: 3px; align-content: start; }
.bars span { display: grid; grid-template-columns: 1em 1fr 4em; gap: 4px; align-items: center;
  white-space: nowrap; text-align: right; }
.bars i { display: block; height: 9px; background: var(--soft); width: calc(var(--share) * 100%); min-width: 1px; }
.bars .true i { background: var(--good); } .bars .wrong i { background: var(--bad); }
img { image-rendering: pixelated; background: #000; max-width: 100%; border: 1px solid var(--rule); }
.sheets { display: flex; flex-wrap: wrap; gap: 16px 24px; align-items: flex-start; }
  .sheets figure { max-width: 100%; }
.sheets img { height: auto; }
pre { background: var(--panel); padding: 12px 16px; border-radius: 8px; overflow-x: auto; font-size: 14px; }
.alert { border-left: 5px solid var(--bad); padding: 4px 12px; background: var(--panel); }
@media (max-width: 600px) { svg .tick { font-size: 17px; }
  .matrix th[scope=col]:first-child { white-space: normal; } }
@page { margin: 14mm; }
@media print { body { font-size: 11px; background: none; } button, output { display: none; }
  main, header, footer { max-width: none; padding: 0; } footer { padding: 16px 0; }
  h1 { font-size: 22px; } h2 { font-size: 18px; margin-top: 16px; padding-top: 8px; }
  h3 { font-size: 14px; margin: 16px 0 4px; } figure { margin: 4px 0; }
  .key-figures { grid-template-columns: repeat(7, auto); gap: 6px; } .key-figures div { padding: 6px 8px; }
  .key-figures dt { font-size: 10px; } .key-figures dd { font-size: 15px; }
  .columns { grid-template-columns: 1fr 1fr; gap: 4px 24px; } svg .tick { font-size: 15px; }
  .legend, caption, pre, footer { font-size: 10px; } th, td { padding: 1px 6px; } .matrix td { min-width: 40px; }
  .mistakes { grid-template-columns: repeat(4, 1fr); gap: 8px; } .mistakes li { padding: 6px; font-size: 10px;
    grid-template-columns: 56px 1fr; } .mistakes img { width: 56px; height: 56px; }
  figure, table, li, .key-figures, pre { break-inside: avoid; } h2, h3 { break-after: avoid; }
  .wide, pre { overflow: visible; } pre { white-space: pre-wrap; } * { print-color-adjust: exact; } }
"""
)

SCRIPT = """
const root = document.documentElement, button = document.getElementById("theme");
button.hidden = false;
button.addEventListener("click", () => {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});
for (const chart of document.querySelectorAll(".chart")) {
  const lines = JSON.parse(chart.dataset.points), svg = chart.querySelector("svg");
  const cursor = svg.querySelector(".cursor"), output = document.querySelector(`output[for="${chart.id}"]`);
  const places = [...new Set(lines.flatMap(line => line.at.map(point => point[0])))].sort((a, b) => a - b);
  const short = value => Math.abs(value) >= 1e5 || !value ? value : Number(value.toPrecision(5));
  let now = -1;
  const show = index => {
    now = Math.max(0, Math.min(places.length - 1, index));
    cursor.setAttribute("x1", places[now]);
    cursor.setAttribute("x2", places[now]);
    cursor.setAttribute("visibility", "visible");
    const found = lines.map(line => [line, line.at.reduce((a, b) =>
      Math.abs(b[0] - places[now]) < Math.abs(a[0] - places[now]) ? b : a)]);
    const at = found.map(([, point]) => point).find(point => point[0] === places[now]);
    output.textContent = `${short(at[1])} ${chart.dataset.unit}: ` +
      found.map(([line, point]) => `${line.name} ${short(point[2])}`).join(", ");
  };
  if (!places.length) continue;
  svg.addEventListener("pointermove", event => {
    const box = svg.getBoundingClientRect(), x = (event.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
    show(places.reduce((best, place, i) => Math.abs(place - x) < Math.abs(places[best] - x) ? i : best, 0));
  });
  chart.addEventListener("keydown", event => {
    const to = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: places.length - 1 }[event.key];
    if (to !== undefined) { show(to); event.preventDefault(); }
  });
}
"""
