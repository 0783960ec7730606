// Where one number of one map comes from: the windows, the weights, the products and their sum; backward its gradients.
"use strict";

const Inspector = (() => {
  const { grid, equation, bar, sum, largest, weight, total } = Figures, gradient = total;
  const SHOWN = 6; // input maps of a convolution, largest sums first, until all are requested
  let layer = null, channel = 0, y = 0, x = 0, all = false, sliding = 0, parts = null;

  function open(which, map) {
    const about = Flow.describe(which), same = which === layer;
    layer = which;
    channel = map;
    all = false;
    if (!same || y >= about.h || x >= about.w) [y, x] = strongest(about);
    if (!parts) build();
    $("inspector").hidden = false;
    show();
    if (!same) $("inspector").scrollIntoView({ block: "nearest", behavior: calm() ? "auto" : "smooth" });
  }

  function strongest(about) {
    const { heap } = App.viewer, from = (App.backward && about.grad) || about.out;
    let best = -1, place = [about.h >> 1, about.w >> 1];
    for (let v = 0; v < about.h; v++) {
      for (let u = 0; u < about.w; u++) {
        const i = v * about.w + u;
        if (!about.spatial && i >= about.n) continue;
        const value = App.image ? Math.abs(heap[from + (about.spatial ? i * about.maps + channel : i)]) : 0;
        if (value > best) { best = value; place = [v, u]; }
      }
    }
    return place;
  }

  function build() {
    const canvas = el("canvas", { tabindex: "0", role: "application", class: "large",
      "aria-label": "the chosen map; arrow keys choose a pixel" });
    const frame = el("i", { class: "pixel" }), text = el("div", { class: "formula" });
    const title = el("h3"), where = el("p", { class: "note", role: "status" });
    const slide = el("button", { type: "button", click: () => (sliding ? stop() : run()) }, "Slide over the map");
    parts = { canvas, frame, text, title, where, slide };
    const pick = event => {
      const box = canvas.getBoundingClientRect(), about = Flow.describe(layer);
      go(Math.floor(((event.clientY - box.top) / box.height) * about.h), Math.floor(((event.clientX - box.left) / box.width) * about.w));
    };
    canvas.addEventListener("pointerdown", event => { canvas.setPointerCapture(event.pointerId); stop(); pick(event); });
    canvas.addEventListener("pointermove", event => { if (event.buttons) pick(event); });
    canvas.addEventListener("keydown", event => {
      const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
      if (!move) return;
      event.preventDefault();
      stop();
      go(y + move[0], x + move[1]);
    });
    $("inspector").append(el("div", { class: "chosen" }, title, el("div", { class: "frame" }, canvas, frame), where, slide), text);
    for (const event of ["image", "weights", "theme"]) App.on(event, () => layer !== undefined && parts && show());
  }

  function go(v, u) {
    const about = Flow.describe(layer);
    y = Math.min(about.h - 1, Math.max(0, v));
    x = Math.min(about.w - 1, Math.max(0, u));
    show();
  }

  // Pixel after pixel along the rows, so that one sees the window slide.
  function run() {
    parts.slide.textContent = "Stop";
    sliding = setInterval(() => {
      const about = Flow.describe(layer), next = (y * about.w + x + 1) % (about.h * about.w);
      go(Math.floor(next / about.w), next % about.w);
    }, calm() ? 600 : 220);
  }

  function stop() {
    clearInterval(sliding);
    sliding = 0;
    parts.slide.textContent = "Slide over the map";
  }

  function show() {
    if (!parts || $("inspector").hidden || !App.isSeen($("inspector"))) return;
    const about = Flow.describe(layer), { heap } = App.viewer, from = App.backward ? about.grad : about.out;
    const at = (v, u) => {
      const i = about.spatial ? (v * about.w + u) * about.maps + channel : v * about.w + u;
      return App.image && from && (about.spatial || i < about.n) ? heap[from + i] : 0;
    };
    paint(parts.canvas, about.h, about.w, Flow.largestOf(layer), at);
    parts.canvas.style.aspectRatio = `${about.w} / ${about.h}`;
    const style = parts.frame.style;
    style.left = `${(100 * x) / about.w}%`;
    style.top = `${(100 * y) / about.h}%`;
    style.width = `${100 / about.w}%`;
    style.height = `${100 / about.h}%`;
    const name = layer ? layer.name : "image", unit = y * about.w + x;
    parts.title.textContent = about.spatial ? `${name}, map ${channel}` : `${name}, unit ${Math.min(unit, about.n - 1)}`;
    parts.where.textContent = about.spatial ? `row ${y}, column ${x}: ${minus(short(at(y, x)))}` : minus(short(at(y, x)));
    Flow.select(layer, channel);
    Flow.mark(undefined, null);
    parts.text.replaceChildren(...(App.image ? explain(about, unit) : [el("p", { class: "note" }, "Draw something first.")]));
  }

  function explain(about, unit) {
    if (!layer) return image();
    if (layer.kind === "conv") return App.backward ? convBackward() : conv();
    if (layer.kind === "dense") return unit < about.n ? (App.backward ? denseBackward(unit) : dense(unit)) : [];
    return pool();
  }

  function image() {
    const value = App.viewer.heap[App.viewer.input + (y * App.data.spec.image[1] + x) * App.data.spec.image[2] + channel];
    return [el("p", {}, App.backward ? "The image is given: no gradient of it is needed." :
      `Grey level ${Math.round(value * 255)} of 255: ${fixed(value)}. Light ink is 1, dark paper is 0.`)];
  }

  const before = () => App.viewer.layers[App.viewer.layers.indexOf(layer) - 1] || null;

  // The windows of a convolution: of each input map its nine inputs, weights and products.
  function windows() {
    const { heap } = App.viewer, { H, W, C, K } = layer, found = [];
    for (let c = 0; c < C; c++) {
      const inputs = [], weights = [];
      for (let i = 0; i < 3; i++) {
        for (let j = 0; j < 3; j++) {
          const v = y + i - 1, u = x + j - 1;
          inputs.push(v < 0 || v >= H || u < 0 || u >= W ? 0 : heap[layer.x + (v * W + u) * C + c]);
          weights.push(heap[layer.weight + ((i * 3 + j) * C + c) * K + channel]);
        }
      }
      const products = inputs.map((value, k) => value * weights[k]);
      found.push({ c, inputs, weights, products, total: sum(products) });
    }
    return found;
  }

  function conv() {
    const { heap } = App.viewer, { W, C, K } = layer, place = (y * W + x) * K + channel;
    Flow.mark(before(), { x: x - 1, y: y - 1, w: 3, h: 3 });
    const found = windows().sort((a, b) => Math.abs(b.total) - Math.abs(a.total)), shown = all ? found : found.slice(0, SHOWN);
    const inputs = largest(found.map(each => each.inputs)), weights = largest(found.map(each => each.weights));
    const products = largest(found.map(each => each.products));
    const bias = heap[layer.bias + (layer.perPosition ? (y * W + x) * K : 0) + channel];
    const z = heap[layer.z + place], out = heap[layer.out + place];
    return [
      el("p", {}, `Each pixel of map ${channel} is the sum of ${9 * C} products: 3 × 3 inputs of ${C === 1 ? "the image" : `each of ${C} maps`} times the filter's weights, and a bias.`),
      el("div", { class: "windows" }, shown.map(each => el("div", { class: "product" },
        el("p", { class: "note" }, C === 1 ? "inputs × weights = products" : `from map ${each.c}`),
        grid(each.inputs, inputs, fixed, "inputs"), el("b", {}, "×"), grid(each.weights, weights, weight, "weights"), el("b", {}, "="),
        grid(each.products, products, fixed, "products"), el("span", { class: "sum" }, total(each.total), el("small", {}, "sum"))))),
      more(found, shown),
      equation([[total(sum(found.map(each => each.total))), "all products"], ["+"],
        [weight(bias), layer.perPosition ? `bias of row ${y}, column ${x}` : `bias of map ${channel}`], ["="], [total(z), "z"]]),
      activation(z, out),
    ];
  }

  function more(found, shown) {
    if (shown.length === found.length && !all) return null;
    if (all && found.length > SHOWN) return el("button", { type: "button", click: () => { all = false; show(); } }, "Only the largest");
    const rest = sum(found.slice(shown.length).map(each => each.total));
    return all ? null : el("p", {}, `The other ${found.length - shown.length} maps together: ${total(rest)}. `,
      el("button", { type: "button", click: () => { all = true; show(); } }, "Show all"));
  }

  function activation(z, out) {
    const kind = layer.activation;
    if (kind === "linear") return layer === App.viewer.last ? null : el("p", {}, "No activation: the sum is the value.");
    return equation([[`${kind}(${total(z)})`, Activations.formula[kind]], ["="], [total(out), "value"]]);
  }

  function pool() {
    const { heap } = App.viewer, { H, W, C } = layer, mean = layer.kind === "avgpool", source = App.backward ? layer.gradX : layer.x;
    Flow.mark(before(), { x: 2 * x, y: 2 * y, w: Math.min(3, W - 2 * x), h: Math.min(3, H - 2 * y) });
    const values = [];
    let chosen = -1;
    const won = mean ? -1 : App.viewer.kernels.winnerAt(layer.winner + (y * (W >> 1) + x) * C + channel);
    for (let i = 0; i < 3; i++) {
      for (let j = 0; j < 3; j++) {
        const v = 2 * y + i, u = 2 * x + j, at = (v * W + u) * C + channel;
        if (at === won && v < H && u < W) chosen = 3 * i + j;
        values.push(v < H && u < W ? heap[layer.x + at] : null);
      }
    }
    const out = heap[layer.out + (y * (W >> 1) + x) * C + channel], there = values.filter(value => value !== null);
    const g = App.backward ? heap[layer.gradOut + (y * (W >> 1) + x) * C + channel] : 0;
    const words = mean ? `The mean of ${there.length} pixels of map ${channel}: ${total(out)}.`
      : `The largest of ${there.length} pixels of map ${channel} wins: ${total(out)}.`;
    const back = mean ? `Each of them gets its share of the gradient: ${short(g)} / ${there.length} = ${short(g / there.length)}.`
      : `The winner alone gets the gradient ${short(g)}: the others could change a little and nothing would follow.`;
    return [el("p", {}, words), grid(values, largest([there]), fixed, "the window", chosen),
      el("p", { class: "note" }, mean ? "" : "The frame marks the winner."), App.backward && source ? el("p", {}, minus(back)) : null];
  }

  // What the input number d of a dense layer is called.
  function inputName(d) {
    const source = before(), shape = source ? source.outputs : App.data.spec.image;
    if (App.numbers && !source) return App.data.columns[d] || `input ${d}`;
    if (shape.length === 1) return `${source.name} unit ${d}`;
    const [, W, C] = shape;
    return `${source ? source.name : "image"} map ${d % C}, row ${Math.floor(d / (W * C))}, column ${Math.floor(d / C) % W}`;
  }

  function contributions(unit) {
    const { heap } = App.viewer, found = [];
    for (let d = 0; d < layer.C; d++) {
      const value = heap[layer.x + d], w = heap[layer.weight + d * layer.K + unit];
      found.push({ d, value, w, product: value * w });
    }
    return found;
  }

  function dense(unit) {
    const { heap } = App.viewer, found = contributions(unit).sort((a, b) => Math.abs(b.product) - Math.abs(a.product));
    const shown = found.slice(0, 12), top = Math.abs(shown[0].product), zeros = found.filter(each => each.value === 0).length;
    const z = heap[layer.z + unit], bias = heap[layer.bias + unit], last = layer === App.viewer.last;
    const rest = sum(found.slice(shown.length).map(each => each.product));
    const chances = last && !App.numbers ? softmax(App.scores) : null;
    return [
      el("p", {}, `${last && !App.numbers ? `The score of ${App.nameOf(unit)}` : `Unit ${unit}`} is the sum of ${many(layer.C)} inputs times their weights, and a bias. ${many(zeros)} of the inputs are 0.`),
      el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "largest contributions" },
        el("table", { class: "parts" }, el("caption", {}, "The largest contributions"),
          el("tr", {}, ["input", "value", "weight", "product", ""].map(text => el("th", { scope: "col" }, text))),
          shown.map(each => el("tr", {}, el("th", { scope: "row" }, inputName(each.d)), el("td", {}, fixed(each.value)), el("td", {}, weight(each.w)),
            el("td", {}, fixed(each.product)), el("td", {}, bar(each.product, top)))))),
      equation([[total(sum(shown.map(each => each.product))), `these ${shown.length}`], ["+"], [total(rest), "the rest"], ["+"],
        [weight(bias), "bias"], ["="], [total(z), last ? "score" : "z"]]),
      chances ? equation([[`exp(${total(z)})`, "of the score"], ["/"], ["sum of all exp", "softmax"], ["="], [percent(chances[unit]), App.nameOf(unit)]])
        : App.numbers && last ? equation([[total(z), "score"], ["→"], [short(App.inUnit(z), 5), App.data.target]]) : activation(z, heap[layer.out + unit]),
    ];
  }


  // How the gradient passes through the activation, and what the step does to a bias.
  function through(g, gz, z, bias, gradBias, words) {
    const lr = Lesson.rate;
    return [
      equation([[gradient(g), "of the loss by the value"], ["×"], [gradient(g === 0 ? Activations.slope[layer.activation](z) : gz / g), `slope of ${layer.activation}`],
        ["="], [gradient(gz), "by z"]]),
      equation([[weight(bias), words], ["−"], [`${short(lr)} × ${gradient(gradBias)}`, "learning rate × gradient"], ["="], [weight(bias - lr * gradBias), "after the step"]]),
    ];
  }

  function convBackward() {
    const { heap } = App.viewer, { W, C, K } = layer, place = (y * W + x) * K + channel, biasAt = (layer.perPosition ? (y * W + x) * K : 0) + channel;
    const gradients = App.viewer.weightGradient(layer), lr = Lesson.rate;
    const found = Array.from({ length: C }, (_, c) => {
      const at = k => (k * C + c) * K + channel, nine = [0, 1, 2, 3, 4, 5, 6, 7, 8];
      const old = nine.map(k => heap[layer.weight + at(k)]), grads = nine.map(k => gradients[at(k)]);
      return { c, old, grads, next: old.map((value, k) => value - lr * grads[k]), total: sum(grads.map(Math.abs)) };
    }).sort((a, b) => b.total - a.total);
    const shown = all ? found : found.slice(0, SHOWN), weights = largest(found.map(each => each.old)), grads = largest(found.map(each => each.grads));
    return [
      ...through(heap[layer.gradOut + place], heap[layer.gradZ + place], heap[layer.z + place], heap[layer.bias + biasAt], heap[layer.gradBias + biasAt],
        layer.perPosition ? "bias here" : "bias of the map"),
      el("p", {}, `The gradient of each weight of filter ${channel} is the sum over all pixels of input × gradient by z:`),
      el("div", { class: "windows" }, shown.map(each => el("div", { class: "product" }, el("p", { class: "note" }, C === 1 ? "weight, gradient, after the step" : `for map ${each.c}`),
        grid(each.old, weights, weight, "weights"), el("b", {}, "−"), grid(each.grads, grads, gradient, "gradients"), el("b", {}, "→"),
        grid(each.next, weights, weight, "weights after the step")))),
      found.length > SHOWN ? el("button", { type: "button", click: () => { all = !all; show(); } }, all ? "Only the largest" : `Show all ${found.length}`) : null,
    ];
  }

  function denseBackward(unit) {
    const { heap } = App.viewer, gz = heap[layer.gradZ + unit], z = heap[layer.z + unit], last = layer === App.viewer.last;
    const found = contributions(unit).map(each => ({ ...each, grad: each.value * gz })).sort((a, b) => Math.abs(b.grad) - Math.abs(a.grad));
    const shown = found.slice(0, 12), top = Math.abs(shown[0].grad), lr = Lesson.rate;
    const first = last && App.data.spec.loss === "cross-entropy"
      ? [equation([[fixed(softmax(App.scores)[unit]), `probability of ${App.nameOf(unit)}`], ["−"], [unit === App.truth ? "1" : "0", "the truth"], ["="], [gradient(gz), "gradient"]])] : [];
    return [...first,
      ...through(heap[layer.gradOut + unit], gz, z, heap[layer.bias + unit], heap[layer.gradBias + unit], "bias"),
      el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "largest gradients" },
        el("table", { class: "parts" }, el("caption", {}, "The weights with the largest gradients: input × gradient by z"),
          el("tr", {}, ["input", "value", "weight", "gradient", "after the step"].map(text => el("th", { scope: "col" }, text))),
          shown.map(each => el("tr", {}, el("th", { scope: "row" }, inputName(each.d)), el("td", {}, fixed(each.value)), el("td", {}, weight(each.w)),
            el("td", {}, gradient(each.grad), " ", bar(each.grad, top)), el("td", {}, weight(each.w - lr * each.grad)))))),
    ];
  }

  return { open };
})();
