// The curves of training: the loss to the left on a logarithmic scale, the accuracy to the right.
"use strict";

function drawChart(state) {
  const canvas = $("chart"), ratio = devicePixelRatio || 1, W = canvas.clientWidth, H = canvas.clientHeight;
  if (!W) return;
  canvas.width = W * ratio;
  canvas.height = H * ratio;
  const context = canvas.getContext("2d"), style = getComputedStyle(document.documentElement), colour = name => style.getPropertyValue(name).trim();
  context.scale(ratio, ratio);
  const left = 46, right = W - 44, top = 10, bottom = H - 22, last = Math.max(20, state.step);
  const losses = state.points.map(point => point.loss).filter(value => value > 0 && Number.isFinite(value));
  const high = Math.ceil(Math.log10(Math.max(1, ...losses.slice(-2000)))), low = Math.min(high - 1, Math.floor(Math.log10(Math.max(1e-6, Math.min(0.1, ...losses.slice(-2000))))));
  const x = step => left + ((right - left) * step) / last, y = value => bottom - ((bottom - top) * (Math.log10(Math.max(value, 10 ** low)) - low)) / (high - low);
  context.font = "12px system-ui, sans-serif";
  context.fillStyle = colour("--soft");
  context.strokeStyle = colour("--rule");
  context.lineWidth = 1;
  for (let p = low; p <= high; p++) {
    context.beginPath();
    context.moveTo(left, y(10 ** p));
    context.lineTo(right, y(10 ** p));
    context.stroke();
    context.textAlign = "right";
    context.fillText(short(10 ** p), left - 6, y(10 ** p) + 4);
  }
  context.textAlign = "left";
  if (!App.numbers) for (const share of [0, 0.5, 1]) context.fillText(`${100 * share} %`, right + 6, bottom - (bottom - top) * share + 4);
  context.textAlign = "center";
  for (const share of [0, 0.5, 1]) context.fillText(many(Math.round(last * share)), x(last * share), H - 5);
  const line = (points, name, width, at) => {
    context.strokeStyle = colour(name);
    context.lineWidth = width;
    context.beginPath();
    points.forEach((point, i) => context[i ? "lineTo" : "moveTo"](x(point.step), at(point)));
    context.stroke();
  };
  const every = Math.max(1, Math.floor(state.points.length / 400)), thin = [];
  for (let i = 0; i + every <= state.points.length; i += every) {
    const part = state.points.slice(i, i + every), mean = key => part.reduce((a, b) => a + b[key], 0) / every;
    thin.push({ step: part[every - 1].step, loss: mean("loss"), right: mean("right") });
  }
  line(thin, "--loss", 1.5, point => y(point.loss));
  if (!App.numbers) line(state.tests, "--good", 2.5, point => bottom - (bottom - top) * point.right);
  $("chart-legend").replaceChildren(el("span", { class: "key loss" }), "loss of each step, left", ...(App.numbers ? [] : [el("span", { class: "key good" }), "right of the test images, right"]));
}
