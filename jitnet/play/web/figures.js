// Numbers as small figures: grids on colours, sums with words, bars.
"use strict";

const Figures = (() => {
  // A table of 3 x 3 numbers, each on its colour.
  function grid(values, largest, digits, label, chosen = -1) {
    return el("table", { class: "grid", "aria-label": label }, [0, 1, 2].map(i => el("tr", {}, [0, 1, 2].map(j => {
      const value = values[3 * i + j], cell = el("td", { class: 3 * i + j === chosen ? "winner" : "" }, value === null ? "" : digits(value));
      if (value === null) cell.className = "outside";
      else cell.style.background = Colours.css(value, largest);
      cell.classList.toggle("deep", Math.abs(value || 0) > 0.6 * largest);
      return cell;
    }))));
  }

  const sum = values => values.reduce((a, b) => a + b, 0);
  const largest = lists => Math.max(...lists.flat().map(value => Math.abs(value || 0)), 1e-12);
  const weight = value => fixed(value, 4);
  const total = value => minus(short(value));

  // Terms with a word under each: [text, word], or [sign].
  function equation(terms) {
    return el("p", { class: "equation" }, terms.map(([text, word]) =>
      word === undefined ? el("b", {}, text) : el("span", {}, text, el("small", {}, word))));
  }

  function bar(value, top) {
    const made = el("i", { class: "bar" });
    made.style.width = `${(60 * Math.abs(value)) / (top || 1)}px`;
    made.style.background = Colours.css(value, top);
    return made;
  }

  return { grid, equation, bar, sum, largest, weight, total };
})();
