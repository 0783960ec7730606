// The page begins here.
"use strict";

const ready = (async () => {
  const data = JSON.parse($("data").textContent);
  $("facts").append(...data.facts.map(([name, text]) => el("div", {}, el("dt", {}, name), el("dd", {}, text))));
  $("theme").addEventListener("click", () => {
    const root = document.documentElement, dark = matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = (root.dataset.theme ? root.dataset.theme === "dark" : dark) ? "light" : "dark";
    Colours.forget();
    App.emit("theme");
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { Colours.forget(); App.emit("theme"); });
  await App.open(data);
  await check();
  Answer.start();
  Flow.start();
  Lesson.start();
  Files.start();
  Draw.start();
  $("ranges").addEventListener("toggle", Flow.table);
  document.body.dataset.ready = App.trainer.kernels.name;
})();

// Compare the scores of some test images with those that Python computed.
async function check() {
  const { data, viewer, test } = App, sentences = [];
  if (data.check) {
    const expected = await Packed.floats(data.check), K = viewer.classes, count = expected.length / K;
    let worst = 0, spent = 0;
    for (let i = 0; i < count; i++) {
      const input = App.input(test, i), start = performance.now(), scores = viewer.forward(input);
      spent += performance.now() - start;
      for (let k = 0; k < K; k++) worst = Math.max(worst, Math.abs(scores[k] - expected[i * K + k]));
    }
    document.body.dataset.difference = String(worst);
    sentences.push(`When this page opened, it computed the scores of ${count} test images and compared them with those that Python had computed: the largest difference is ${short(worst, 2)}. An image took ${(spent / count).toFixed(2)} ms.`);
  }
  sentences.push(`The arithmetic is done by ${viewer.kernels.name}, in 32 bits. The parameters of the largest layers are stored with ${data.bits} bits and a sign, relative to the largest of the layer, the others with 24, and the training images with 32 grey levels, so that the file stays small.`);
  $("check-text").textContent = sentences.join(" ");
}
