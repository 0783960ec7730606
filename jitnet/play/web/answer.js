// The answer: the class, ten bars, and the training digits whose last hidden layer is most like this one.
"use strict";

const Answer = (() => {
  const NEAREST = 10;
  let features = null, valid = 0, bars = [], timer = 0;

  function start() {
    const K = App.trainer.classes;
    if (!App.numbers) {
      bars = Array.from({ length: K }, (_, k) => {
        const bar = el("i"), text = el("span");
        $("bars").append(el("div", {}, el("b", {}, App.nameOf(k)), el("span", { class: "track" }, bar), text));
        return { bar, text };
      });
    }
    const layers = App.viewer.layers, before = layers[layers.length - 1];
    if (App.numbers || !App.train.count || layers.length < 2) $("alike-box").hidden = true;
    else features = { size: before.C, values: new Float32Array(before.C * App.train.count) };
    App.on("image", show);
    App.on("weights", () => { valid = 0; show(); });
    show();
  }

  function show() {
    const scores = App.scores;
    if (App.numbers) {
      if (scores) $("verdict").textContent = `${App.data.target}: ${short(App.inUnit(scores[0]), 5)}`;
      return;
    }
    const chances = scores ? softmax(scores) : null, best = chances ? chances.indexOf(Math.max(...chances)) : -1;
    bars.forEach(({ bar, text }, k) => {
      bar.style.transform = `scaleX(${chances ? chances[k] : 0})`;
      bar.parentElement.parentElement.className = k === best ? "best" : "";
      text.textContent = chances ? percent(chances[k]) : "–";
    });
    $("verdict").replaceChildren(chances
      ? el("span", {}, el("strong", {}, App.nameOf(best)), ` ${percent(chances[best])}`)
      : el("span", { class: "none" }, "Nothing is drawn yet, so there is no answer."));
    clearTimeout(timer);
    if (!App.image) {
      $("alike").replaceChildren();
      $("alike-note").textContent = "";
    } else if (features && !App.busy) {
      timer = setTimeout(alike, 0);
    }
  }

  // The last hidden layer of the training digits, computed in slices of 15 ms with an engine's spare time.
  function alike() {
    const engine = App.viewer, { size, values } = features, stop = performance.now() + 15;
    const hidden = engine.view(engine.last.x, size).slice();
    while (valid < App.train.count && performance.now() < stop) {
      engine.forward(App.input(App.train, valid));
      values.set(engine.view(engine.last.x, size), valid * size);
      valid++;
    }
    App.look(); // the engine shows the drawing again
    if (valid < App.train.count) {
      $("alike-note").textContent = `looking through ${many(App.train.count)} digits…`;
      timer = setTimeout(alike, 0);
      return;
    }
    const norm = Math.hypot(...hidden) || 1, found = [];
    for (let i = 0; i < App.train.count; i++) {
      let dot = 0, square = 0;
      for (let k = 0; k < size; k++) {
        const value = values[i * size + k];
        dot += value * hidden[k];
        square += value * value;
      }
      found.push([dot / (norm * Math.sqrt(square) || 1), i]);
    }
    found.sort((a, b) => b[0] - a[0]);
    const [H, W, C] = App.data.spec.image;
    $("alike").replaceChildren(...found.slice(0, NEAREST).map(([cosine, i]) => {
      const name = App.nameOf(App.train.targets[i]);
      return el("li", {}, paintGrey(el("canvas", { role: "img", "aria-label": `a ${name}` }), H, W, App.pixels(App.train, i), C),
        el("span", {}, name, el("small", {}, ` ${fixed(cosine, 2)}`)));
    }));
    $("alike-note").textContent = `Below each: its class and the cosine between the two layers. Of ${many(App.train.count)} ${App.data.source}.`;
  }

  return { start };
})();
