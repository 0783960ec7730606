// How numbers, colours and elements are written: the same digits as Python's formats.
"use strict";

// f"{x:.3g}" of Python
function short(x, digits = 3) {
  if (x === 0) return "0";
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf";
  const [mantissa, exponent] = x.toExponential(digits - 1).split("e"), power = Number(exponent);
  const trim = text => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  if (power < -4 || power >= digits) return `${trim(mantissa)}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  return trim(x.toFixed(Math.max(0, digits - 1 - power)));
}

const fixed = (x, digits = 3) => (Object.is(Math.round(x * 10 ** digits), -0) ? 0 : x).toFixed(digits).replace("-", "−");
const minus = text => text.replace(/^-/, "−");
const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)} %`;
const many = n => n.toLocaleString("en");

// An element: attributes by name, functions as listeners; children are elements or text.
function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (name in made && typeof value !== "string") made[name] = value;
    else if (value !== false && value !== null) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter(child => child !== null && child !== undefined));
  return made;
}

const $ = id => document.getElementById(id);

// Colours of values: two scales, from the theme's variables. `signed`: below 0 orange, above 0 blue, 0 like the paper.
const Colours = (() => {
  let table = null;
  const parse = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim().split(" ").map(Number);
  function scale() {
    if (table) return table;
    const zero = parse("--zero"), plus = parse("--plus"), minus = parse("--minus");
    table = new Uint8ClampedArray(513 * 3);
    for (let i = 0; i <= 512; i++) {
      const t = Math.abs(i - 256) / 256, end = i < 256 ? minus : plus, bend = t ** 0.8;
      for (let c = 0; c < 3; c++) table[3 * i + c] = zero[c] + (end[c] - zero[c]) * bend;
    }
    return table;
  }
  const forget = () => { table = null; };
  // Fill RGBA `pixels` from place `at` with the colour of value / largest
  function put(pixels, at, value, largest) {
    const t = scale(), i = 3 * (256 + Math.round(256 * Math.max(-1, Math.min(1, largest ? value / largest : 0))));
    pixels[at] = t[i]; pixels[at + 1] = t[i + 1]; pixels[at + 2] = t[i + 2]; pixels[at + 3] = 255;
  }
  const css = (value, largest) => {
    const pixel = [];
    put(pixel, 0, value, largest);
    return `rgb(${pixel[0]} ${pixel[1]} ${pixel[2]})`;
  };
  return { put, css, forget };
})();

// Paint h x w values, taken by `at(y, x)`, on a canvas of that many pixels.
function paint(canvas, h, w, largest, at) {
  canvas.width = w;
  canvas.height = h;
  const context = canvas.getContext("2d"), image = context.createImageData(w, h);
  for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) Colours.put(image.data, 4 * (y * w + x), at(y, x), largest);
  context.putImageData(image, 0, 0);
  return canvas;
}

// Paint grey levels 0 to 255 (H, W) or (H, W, 3), as a picture.
function paintGrey(canvas, h, w, levels, channels = 1) {
  canvas.width = w;
  canvas.height = h;
  const context = canvas.getContext("2d"), image = context.createImageData(w, h);
  for (let i = 0; i < h * w; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = levels[i * channels + Math.min(c, channels - 1)];
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
