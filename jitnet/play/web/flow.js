// Every layer with its maps, from the image to the scores: values forward, gradients backward.
"use strict";

const Flow = (() => {
  const KINDS = { conv: "convolution 3 × 3", pool: "largest of 3 × 3, every other pixel", avgpool: "mean of 3 × 3, every other pixel", dense: "dense layer" };
  let cards = [];

  // What a card shows: extents of one map, how many maps, and the place of its numbers in the viewer's heap.
  function describe(layer) {
    if (!layer) {
      const [h, w, maps] = App.data.spec.image;
      return { h, w, maps, spatial: true, out: App.viewer.input, grad: 0 };
    }
    if (layer.outputs.length === 3) {
      const [h, w, maps] = layer.outputs;
      return { h, w, maps, spatial: true, out: layer.out, grad: layer.gradOut };
    }
    const w = Math.min(10, layer.n);
    return { h: Math.ceil(layer.n / w), w, maps: 1, spatial: false, n: layer.n, out: layer.out, grad: layer.gradOut };
  }

  function start() {
    const inputs = App.numbers ? [] : [null];
    cards = [...inputs, ...App.viewer.layers].map(card);
    $("flow").append(...cards.map(each => each.element));
    for (const input of document.querySelectorAll("[name=direction]")) {
      input.addEventListener("change", () => {
        App.backward = document.querySelector("[name=direction]:checked").value === "backward";
        App.look();
        App.emit("image");
      });
    }
    if (!App.numbers) {
      for (let k = 0; k < App.trainer.classes; k++) $("truth").append(el("option", { value: String(k) }, App.nameOf(k)));
      $("truth").addEventListener("change", () => {
        App.truth = Number($("truth").value);
        App.look();
        App.emit("image");
      });
      App.on("truth", () => { $("truth").value = String(App.truth); });
    }
    for (const event of ["image", "weights", "theme"]) App.on(event, show);
    App.on("theme", Colours.forget);
    show();
  }

  function card(layer, place) {
    const about = describe(layer), title = layer ? layer.name : "image";
    const words = layer ? KINDS[layer.kind] + (layer.activation && layer.activation !== "linear" ? `, ${layer.activation}` : "") : "as the network sees it";
    const shape = (layer ? layer.outputs : App.data.spec.image).join(" × ");
    const range = el("span", { class: "note" });
    const maps = Array.from({ length: about.maps }, (_, channel) => {
      const canvas = el("canvas", { "aria-hidden": "true" });
      const button = el("button", { type: "button", class: "map", "aria-label": `${title}, ${about.spatial ? `map ${channel}` : "units"}`,
        click: () => Inspector.open(layer, channel) }, canvas, el("i", { class: "window" }));
      return { button, canvas };
    });
    maps.forEach(({ button }, k) => { button.tabIndex = k ? -1 : 0; });
    const box = el("div", { role: "group", "aria-label": `maps of ${title}`, keydown: event => walk(event, maps, about), class: `maps ${about.spatial ? "" : "units"}` }, maps.map(each => each.button));
    if (about.spatial) box.style.setProperty("--columns", about.maps > 16 ? 8 : Math.min(4, about.maps));
    const element = el("section", { class: "layer", "aria-label": title },
      el("h3", {}, title, el("small", {}, ` ${shape}`)), el("p", { class: "note" }, words), box, range);
    element.style.setProperty("--turn", place);
    element.style.setProperty("--maps", about.maps);
    return { layer, about, element, maps, range };
  }

  // One stop of the Tab key a layer; the arrow keys go from map to map.
  function walk(event, maps, about) {
    const columns = Number(event.currentTarget.style.getPropertyValue("--columns") || 1);
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    const now = maps.findIndex(({ button }) => button === document.activeElement), next = maps[now + step];
    if (!step || now < 0 || !next || !about.spatial) return;
    event.preventDefault();
    maps[now].button.tabIndex = -1;
    next.button.tabIndex = 0;
    next.button.focus();
  }

  function show() {
    if (!App.isSeen($("flow"))) return;
    $("flow").classList.toggle("empty", !App.image);
    $("truth-box").hidden = !App.backward || App.numbers;
    $("loss-now").textContent = App.backward && App.loss !== null ? `loss ${short(App.loss, 4)}` : "";
    for (const each of cards) {
      const { about, maps, range, layer } = each, { heap } = App.viewer, n = about.maps * about.h * about.w;
      const size = about.spatial ? n : about.n, from = App.backward ? about.grad : about.out;
      const blank = !App.image || !from;
      let largest = 0;
      if (!blank) for (let i = 0; i < size; i++) largest = Math.max(largest, Math.abs(heap[from + i]));
      each.largest = largest;
      maps.forEach(({ canvas }, channel) => {
        paint(canvas, about.h, about.w, largest, (y, x) => {
          const i = about.spatial ? (y * about.w + x) * about.maps + channel : y * about.w + x;
          return blank || i >= size ? 0 : heap[from + i];
        });
      });
      range.textContent = !App.image ? "" : blank ? "no one needs its gradient" : `strongest colour: ${short(largest)}`;
    }
    legend();
    table();
  }

  function legend() {
    $("legend").replaceChildren(
      el("span", {}, "below 0"), el("i", { class: "scale" }), el("span", {}, "above 0"),
      el("span", { class: "note" }, App.backward
        ? "Colour: the derivative of the loss by each value. Where it is above 0, a larger value would make the loss larger."
        : "Colour: the value. The middle is 0, and in each layer the strongest colour is its largest absolute value."));
  }

  // The place of a pixel's sources in the card before, drawn as a frame that moves.
  function mark(layer, window) {
    for (const each of cards) {
      const here = each.layer === layer && window;
      each.element.classList.toggle("source", Boolean(here));
      if (!here) continue;
      const { h, w } = each.about, style = each.element.style;
      style.setProperty("--left", `${(100 * window.x) / w}%`);
      style.setProperty("--top", `${(100 * window.y) / h}%`);
      style.setProperty("--wide", `${(100 * window.w) / w}%`);
      style.setProperty("--high", `${(100 * window.h) / h}%`);
    }
  }

  function select(layer, channel) {
    for (const each of cards) {
      each.maps.forEach(({ button }, k) => button.setAttribute("aria-pressed", String(each.layer === layer && k === channel)));
    }
  }

  function table() {
    if (!$("ranges").open || !App.image) return;
    const rows = [["", "shape", "smallest", "largest", "mean", "zeros"]], { viewer } = App;
    const add = (name, shape, values) => {
      let low = Infinity, high = -Infinity, sum = 0, zero = 0;
      for (const value of values) { low = Math.min(low, value); high = Math.max(high, value); sum += value; zero += value === 0; }
      const mean = Math.abs(sum) / values.length > 1e-7 * Math.max(-low, high) ? sum / values.length : 0; // else rounding
      rows.push([name, shape.join("x"), ...[low, high, mean].map(x => minus(short(x))), `${((100 * zero) / values.length).toFixed(0)} %`]);
    };
    for (const layer of App.backward ? viewer.layers.slice().reverse() : viewer.layers) {
      add(`${layer.name} ${App.backward ? "grad" : "out"}`, layer.outputs, viewer.view(App.backward ? layer.gradOut : layer.out, layer.n));
      if (!App.backward || !layer.weights) continue;
      const tensors = viewer.tensors();
      add(`${layer.name}.weight`, tensors[`${layer.name}.weight`].shape, viewer.weightGradient(layer));
      add(`${layer.name}.bias`, tensors[`${layer.name}.bias`].shape, viewer.view(layer.gradBias, layer.biases));
    }
    const cells = (row, tag) => row.map((text, k) => el(k ? tag : "th", { scope: k ? null : "row" }, text));
    $("layer-table").replaceChildren(el("thead", {}, el("tr", {}, cells(rows[0], "th"))),
      el("tbody", {}, rows.slice(1).map(row => el("tr", {}, cells(row, "td")))));
  }

  const largestOf = layer => (cards.find(each => each.layer === layer) || { largest: 0 }).largest;

  return { start, describe, mark, select, show, table, largestOf };
})();
