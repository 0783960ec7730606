// Training in the tab: steps of gradient descent in slices between the frames, lessons on one's own digits, and undo.
"use strict";

const Lesson = (() => {
  const SLICE = 14, LESSON_STEPS = 40, LESSON_BATCH = 12, SURE = 0.95, UNDO = 10, SHARE = 0.1; // of the time is for showing, at most, and as much for measuring
  const state = { running: false, step: 0, points: [], tests: [], batch: null, lesson: null, seen: 0, spent: 0 };
  let before = [], order = [], cursor = 0, test = null, testAgain = 0, drawAgain = 0;
  const channel = new MessageChannel();
  channel.port1.onmessage = slice;

  const rate = () => 10 ** Number($("lr").value);
  const batchSize = () => 2 ** Number($("batch").value);

  function start() {
    const buttons = App.drawable ? Array.from({ length: App.trainer.classes }, (_, k) => k) : [];
    if (App.drawable) $("teach-buttons").append(el("span", {}, "This is"), ...buttons.map(k => el("button", { type: "button", click: () => teach(k) }, App.nameOf(k))));
    else $("teach").hidden = true;
    $("undo-lesson").addEventListener("click", undo);
    $("go").addEventListener("click", () => (state.running ? pause() : go()));
    $("one-step").addEventListener("click", () => { pause(); while (!pass()); refresh(); });
    $("reset").addEventListener("click", reset);
    $("origin").append(el("option", { value: "run" }, `the run's weights${App.data.label ? `, ${App.data.label}` : ""}`), el("option", { value: "fresh" }, "fresh weights"));
    $("origin").addEventListener("change", reset);
    materials();
    const show = () => {
      $("lr-now").textContent = short(rate());
      $("batch-now").textContent = String(batchSize());
      if (App.backward) App.emit("image");
    };
    for (const id of ["lr", "batch"]) $(id).addEventListener("input", show);
    show();
    const chart = () => drawChart(state);
    App.on("theme", chart);
    new ResizeObserver(chart).observe($("chart"));
    refresh();
  }

  function materials() {
    const chosen = $("material").value, options = [];
    if (App.train.count) options.push(["train", `${many(App.train.count)} ${App.data.source}`]);
    if (App.train.count && App.own.length) options.push(["both", `these and yours (${App.own.length})`]);
    if (App.own.length) options.push(["own", `only yours (${App.own.length})`]);
    $("material").replaceChildren(...options.map(([value, text]) => el("option", { value }, text)));
    if (options.some(([value]) => value === chosen)) $("material").value = chosen;
    $("go").disabled = $("one-step").disabled = !options.length;
    order = [];
  }

  // An example is [input, target]; places from train.count on are the reader's own digits.
  function example(place) {
    const own = place - App.train.count;
    if (own >= 0) return [Float32Array.from(App.own[own].image, value => value / 255), App.own[own].label];
    const target = App.train.targets[place];
    return [App.input(App.train, place), App.numbers ? [target] : target];
  }

  function shuffled() {
    const kind = $("material").value, places = [];
    if (kind !== "own") for (let i = 0; i < App.train.count; i++) places.push(i);
    if (kind !== "train") for (let i = 0; i < App.own.length; i++) places.push(App.train.count + i);
    for (let i = places.length - 1; i > 0; i--) {
      const j = Math.floor(Math.random() * (i + 1));
      [places[i], places[j]] = [places[j], places[i]];
    }
    return places;
  }

  // One image of the batch forward and backward; at the batch's end the step. Returns whether a step was taken.
  function pass() {
    const { trainer } = App;
    if (!state.batch) {
      let places;
      if (state.lesson) {
        places = state.lesson.places();
      } else {
        if (cursor >= order.length) { order = shuffled(); cursor = 0; }
        places = order.slice(cursor, cursor + batchSize());
        cursor += places.length;
      }
      trainer.clear();
      trainer.training = true;
      state.batch = { places, next: 0, loss: 0, right: 0 };
    }
    const { batch } = state, [input, target] = example(batch.places[batch.next++]);
    const scores = trainer.forward(input);
    if (!App.numbers) {
      let best = 0;
      for (let k = 1; k < scores.length; k++) if (scores[k] > scores[best]) best = k;
      batch.right += best === target;
    }
    batch.loss += trainer.backward(target);
    state.seen++;
    if (batch.next < batch.places.length) return false;
    const n = batch.places.length;
    trainer.descend(rate(), n);
    trainer.training = false;
    state.batch = null;
    state.step++;
    state.points.push({ step: state.step, loss: batch.loss / n, right: batch.right / n });
    if (!Number.isFinite(batch.loss)) diverged();
    return true;
  }

  function diverged() {
    pause();
    const last = state.good;
    if (last) App.trainer.parameters = last;
    $("train-status").textContent = "The loss is not finite any more: the step was taken back. Choose a smaller learning rate.";
  }

  function go() {
    remember("training");
    state.good = App.trainer.parameters.slice();
    Object.assign(state, { running: true, seen: 0, spent: 0, since: performance.now() });
    App.busy = true;
    $("go").textContent = "Pause";
    $("train-status").textContent = "";
    channel.port2.postMessage(0);
  }

  function pause() {
    if (!state.running) return;
    state.running = false;
    App.busy = false;
    $("go").textContent = "Train";
    while (state.batch && !pass()); // the batch is finished: a step is taken as a whole
    refresh();
  }

  function slice() {
    if (!state.running) return;
    const stop = performance.now() + SLICE;
    while (performance.now() < stop && state.running) {
      if (!pass()) continue;
      if (state.lesson && state.lesson.done()) return;
    }
    if (!state.running) return;
    measure(4);
    if (performance.now() > drawAgain) refresh();
    channel.port2.postMessage(0);
  }

  // Accuracy on the images to measure on, a few milliseconds at a time, between steps only.
  function measure(limit) {
    if (state.batch || !App.test.count || (!test && performance.now() < testAgain)) return;
    test = test || { next: 0, right: 0, error: 0, spent: 0 };
    const start = performance.now(), stop = start + limit, { trainer } = App;
    while (test.next < App.test.count && performance.now() < stop) {
      const scores = trainer.forward(App.input(App.test, test.next)), target = App.test.targets[test.next++];
      if (App.numbers) test.error += (scores[0] - target) ** 2;
      else test.right += scores.indexOf(Math.max(...scores)) === target;
    }
    test.spent += performance.now() - start;
    if (test.next < App.test.count) return;
    testAgain = performance.now() + Math.max(1000, test.spent / SHARE);
    state.tests.push({ step: state.step, right: App.numbers ? test.error / App.test.count : test.right / App.test.count });
    test = null;
  }

  function refresh() {
    const start = performance.now();
    App.changed();
    if (!state.running) {
      testAgain = 0;
      test = null;
      measure(Infinity);
      testAgain = 0;
    }
    meters();
    drawChart(state);
    const end = performance.now();
    drawAgain = end + Math.max(250, (end - start) / SHARE);
  }

  function meters() {
    const recent = state.points.slice(-20), mean = key => recent.reduce((a, b) => a + b[key], 0) / recent.length;
    const last = state.tests[state.tests.length - 1], speed = state.running ? (1000 * state.seen) / (performance.now() - state.since) : 0;
    const rows = [["steps", many(state.step)], ["images a second", speed ? many(Math.round(speed)) : "–"],
      ["loss, last 20 steps", recent.length ? short(mean("loss")) : "–"]];
    if (App.numbers) rows.push(["test error²", last ? short(last.right) : "–"]);
    else rows.push(["right in training", recent.length ? percent(mean("right")) : "–"], [`right of ${App.test.count} test images`, last ? percent(last.right) : "–"]);
    $("meters").replaceChildren(...rows.map(([name, text]) => el("div", {}, el("dt", {}, name), el("dd", {}, text))));
  }

  function remember(words) {
    before.push({ words, parameters: App.trainer.parameters.slice(), own: App.own.slice() });
    if (before.length > UNDO) before.shift();
    $("undo-lesson").disabled = false;
    $("undo-lesson").textContent = `Undo: ${words}`;
  }

  function undo() {
    pause();
    const last = before.pop();
    if (!last) return;
    App.own = last.own;
    App.trainer.parameters = last.parameters;
    const next = before[before.length - 1];
    $("undo-lesson").disabled = !next;
    $("undo-lesson").textContent = next ? `Undo: ${next.words}` : "Undo the last lesson";
    $("lesson-note").textContent = `Undone: ${last.words}.`;
    own();
    refresh();
  }

  function teach(label) {
    if (!App.image) {
      $("lesson-note").textContent = "Draw something first.";
      return;
    }
    pause();
    const image = Uint8Array.from(App.image, value => Math.round(value * 255)), first = state.step;
    remember(`the lesson that this is a ${App.nameOf(label)}`);
    App.own.push({ image, label });
    own();
    const place = App.train.count + App.own.length - 1;
    state.lesson = {
      places() { // the digit itself, the reader's others, and some of the training digits
        const others = App.own.map((_, i) => App.train.count + i).filter(i => i !== place).slice(-3);
        const count = Math.max(0, Math.min(LESSON_BATCH - 2 - others.length, App.train.count));
        return [place, place, ...others, ...Array.from({ length: count }, () => Math.floor(Math.random() * App.train.count))];
      },
      done() {
        const chance = softmax(App.trainer.forward(App.image))[label];
        if (chance < SURE && state.step - first < LESSON_STEPS) return false;
        state.lesson = null;
        pause();
        const steps = state.step - first;
        $("lesson-note").textContent = `Learned in ${steps} ${steps === 1 ? "step" : "steps"}: it now says ${App.nameOf(label)} with ${percent(softmax(App.scores)[label])}.`;
        if (chance < SURE) $("lesson-note").textContent = `After ${steps} steps it says ${App.nameOf(label)} with ${percent(chance)}. Teach it again, or choose a larger learning rate.`;
        return true;
      },
    };
    App.truth = label;
    App.emit("truth");
    $("lesson-note").textContent = "learning…";
    Object.assign(state, { running: true, good: App.trainer.parameters.slice(), seen: 0, since: performance.now() });
    App.busy = true;
    channel.port2.postMessage(0);
  }

  function own() {
    const [H, W] = App.data.spec.image;
    $("own").replaceChildren(...App.own.map((each, i) => el("li", {},
      paintGrey(el("canvas", { role: "img", "aria-label": `your ${App.nameOf(each.label)}` }), H, W, each.image),
      el("span", {}, App.nameOf(each.label), el("button", { type: "button", class: "small", "aria-label": `forget your ${App.nameOf(each.label)}`,
        click: () => { App.own.splice(i, 1); own(); } }, "×")))));
    materials();
  }

  // Normal numbers from a fixed seed, variance 2 / inputs (He 2015); biases 0.
  function fresh() {
    let seed = 1;
    const uniform = () => { // mulberry32
      seed = (seed + 0x6d2b79f5) | 0;
      let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
    const out = new Float32Array(App.trainer.count);
    for (const layer of App.trainer.layers) {
      const at = layer.weight - App.trainer.params, deviation = Math.sqrt(2 / (layer.weights / layer.K));
      for (let i = 0; i < layer.weights; i++) {
        out[at + i] = deviation * Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
      }
    }
    return out;
  }

  function reset() {
    pause();
    use($("origin").value === "fresh" ? fresh() : App.kept, "reset");
    $("train-status").textContent = "";
  }

  // Continue from other parameters.
  function use(parameters, words) {
    pause();
    remember(words);
    App.trainer.parameters = parameters;
    Object.assign(state, { step: 0, points: [], tests: [], batch: null });
    refresh();
  }

  return { start, use, get rate() { return rate(); }, state };
})();
