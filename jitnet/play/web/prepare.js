// A picture made to look like those that a network was trained on: jitnet/data/pictures/adapt.py, prepare.py, style.py.
//
// A blank picture, or one that cannot be prepared, is a Refusal: a sentence for the reader.
"use strict";

class Refusal extends Error {}

const Prepare = (() => {
  const WORK = 160, FINE = 640, SMALL = 0.4, WIDE = 0.8, PAPER = 0.25, LINES = 0.5, EDGE = 0.02, ALL_ACROSS = 0.85, FAINT = 48;
  const FULL = 0.45, THIN = 1.6, DARK = 64, PLAIN = 16, ASPECT = 1.1, ONE_LEVEL = 0.1, STEEP = 0.5, LINE = 0.06, STROKE = 0.25;

  // grey: levels 0 to 255; style: as Python measured it; digits: whether the classes are the ten digits, which are one
  // shape each; returns {image, notes, steps: [[name, picture]]}.
  function prepare(grey, style, digits, height, width) {
    const [low, high] = Grey.extent(grey);
    if (style.prepared) {
      if (high - low < 24) throw new Refusal("There is nothing drawn.");
      const ready = grey.h === height && grey.w === width ? inStyle(grey, style) : null;
      if (ready) return { image: ready, notes: [], steps: [["the picture", grey], ["as the network sees it", ready]] };
      const found = centred(grey, height, width, style.side, style.by_mass);
      if (found.several && digits) throw new Refusal("There seem to be several shapes: draw one digit.");
      if (!style.light) {
        found.image = Grey.map(found.image, value => 255 - value);
        found.steps.push(["dark on light, as in training", found.image]);
      }
      return found;
    }
    if (low === high) throw new Refusal("There is nothing drawn.");
    if (grey.h === height && grey.w === width) return { image: grey, notes: [], steps: [["taken as it is", grey]] };
    const ratio = grey.h / grey.w / (height / width);
    if (ratio < 1 / ASPECT || ratio > ASPECT) {
      throw new Refusal(`The picture has ${grey.w} x ${grey.h} pixels: expected ${width} x ${height}, or their proportion.`);
    }
    return asDrawn(grey, height, width);
  }

  // Only resized: what the network sees when nobody prepares the picture.
  function asDrawn(grey, height, width) {
    const [low, high] = Grey.extent(grey);
    if (low === high) throw new Refusal("There is nothing drawn.");
    const image = Grey.bytes(Grey.resized(grey, height, width));
    return { image, notes: [], steps: [["the picture", grey], ["only resized", image]] };
  }

  function centred(grey, height, width, side, byMass) {
    side = side || Grey.rint((Math.min(height, width) * 20) / 28);
    let small = Grey.atMost(grey, WORK), ink = Ink.find(small);
    if (Ink.isBlank(ink) && Math.max(grey.h, grey.w) > WORK) { // a small drawing in a large picture
      small = Grey.atMost(grey, FINE);
      ink = Ink.find(small);
    }
    if (Ink.isBlank(ink)) throw new Refusal("There is nothing drawn.");
    const band = ink.margin ? { name: "", share: 0 } : bandOf(small);
    if (band.share > STROKE) {
      const found = centred(cut(grey, band), height, width, side, byMass);
      found.notes.unshift(`a plain band along its ${band.name} is taken for the edge of a scan`);
      return found;
    }
    let { mask, several } = drawingOf(ink.strength, ink.contrast);
    const first = Grey.box(mask);
    if (Math.max(first[2] - first[0], first[3] - first[1]) < SMALL * Math.max(small.h, small.w) && Math.max(grey.h, grey.w) > WORK) {
      ({ small, ink, mask, several } = closer(grey, first, { small, ink, mask, several }));
    }
    const steps = [["the picture", Grey.bytes(small)], ["its ink", Grey.bytes(ink.strength, Math.fround(255 / ink.contrast))]];
    const notes = [], faint = ink.contrast < FAINT;
    const full = mask.d.reduce((a, b) => a + b, 0) / mask.d.length > FULL;
    if (faint && full) throw new Refusal("There is nothing drawn.");
    if (band.name) notes.push(`a plain band along its ${band.name} may be the edge of a scan: crop it`);
    if (several) notes.push("there seem to be several shapes");
    if (faint) notes.push(`there is almost no contrast (${ink.contrast.toFixed(0)} grey levels)`);
    if (full) notes.push("the ink fills the picture");
    const kept = Grey.map(ink.strength, (value, i) =>
      mask.d[i] ? Math.min(1 - PAPER, Math.max(0, Math.fround(Math.fround(value / ink.contrast) - PAPER))) : 0);
    let shape = Grey.part(kept, ...Grey.box(mask));
    steps.push(["the drawing", Grey.bytes(shape, 255 / (1 - PAPER))]);
    const scale = side / Math.max(shape.h, shape.w);
    shape = withStroke(shape, (scale * 28) / Math.min(height, width));
    const last = side / Math.max(shape.h, shape.w);
    const fitted = Grey.resized(shape, Math.max(1, Grey.rint(shape.h * last)), Math.max(1, Grey.rint(shape.w * last)));
    const image = Grey.make(height, width), factor = Math.fround(255 / Grey.extent(fitted)[1]);
    place(Grey.map(fitted, value => Grey.rint(Math.fround(value * factor))), image, byMass, fitted);
    steps.push(["as the network sees it", image]);
    return { image, notes, steps, several };
  }

  // The side along which a picture has a band of one level with a sharp edge, and the band's share of the picture.
  function bandOf(grey) {
    const all = Grey.sorted(grey.d), full = Grey.quantile(all, 0.99) - Grey.quantile(all, 0.01);
    for (const name of ["left", "right", "top", "bottom"]) {
      const { h, w, d } = turned(grey, name), level = Grey.median(d.slice(0, w));
      const away = y => d.subarray(y * w, (y + 1) * w).map(value => Math.abs(value - level));
      let deep = 0;
      while (deep < h && away(deep).every(value => value <= ONE_LEVEL * full)) deep++;
      const isDeep = deep > LINE * h && deep < h - 3;
      if (isDeep && away(deep + 2).filter(value => value > STEEP * full).length > ALL_ACROSS * w) return { name, share: deep / h };
    }
    return { name: "", share: 0 };
  }

  // A picture without a band, and without the blurred lines at the band's edge.
  function cut(grey, { name, share }) {
    const lines = turned(grey, name);
    return turned(Grey.part(lines, Math.ceil((share + EDGE) * lines.h), 0, lines.h, lines.w), name, true);
  }

  // A picture with one of its sides at the top, or the same back.
  function turned(grey, name, back = false) {
    const over = image => Grey.map(image, (_, i) => image.d[(image.h - 1 - Math.floor(i / image.w)) * image.w + (i % image.w)]);
    const swap = name === "left" || name === "right" ? Grey.transposed : image => image;
    const flip = name === "right" || name === "bottom" ? over : image => image;
    return back ? swap(flip(grey)) : flip(swap(grey));
  }

  // Put a shape into an image, its centre of mass (of `weights`) or of its box in the middle.
  function place(shape, image, byMass, weights) {
    const top = start(weights, 0, image.h, byMass), left = start(weights, 1, image.w, byMass);
    for (let y = 0; y < shape.h; y++) image.d.set(shape.d.subarray(y * shape.w, (y + 1) * shape.w), (y + top) * image.w + left);
  }

  function start(shape, axis, extent, byMass) {
    const length = axis ? shape.w : shape.h;
    if (!byMass) return Math.max(0, Math.floor((extent - length) / 2));
    let sum = 0, moment = 0;
    shape.d.forEach((value, i) => {
      sum += value;
      moment += value * (axis ? i % shape.w : Math.floor(i / shape.w));
    });
    return Math.min(Math.max(Grey.rint(extent / 2 - moment / sum), 0), extent - length);
  }

  // With ruled lines on the paper the drawing is that of the pen alone.
  function drawingOf(strength, contrast) {
    const { h, w } = strength;
    const near = grown(Grey.map(strength, value => (value > LINES * contrast ? 1 : 0)), Math.max(1, Grey.rint(EDGE * Math.min(h, w))));
    const lines = Grey.map(strength, (value, i) => (value > PAPER * contrast && !near.d[i] ? 1 : 0));
    const [top, left, bottom, right] = Grey.box(lines);
    if (bottom && (right - left > ALL_ACROSS * w || bottom - top > ALL_ACROSS * h)) {
      strength = Grey.map(strength, (value, i) => (near.d[i] ? value : 0));
    }
    return Shapes.drawing(strength, PAPER * contrast);
  }

  // Look again at the part of the picture where a small drawing is, at a finer size.
  function closer(grey, box, before) {
    const scale = Math.max(grey.h, grey.w) / Math.max(before.small.h, before.small.w);
    const margin = 0.35 * Math.max(box[2] - box[0], box[3] - box[1]);
    const [top, left] = [box[0], box[1]].map(at => Math.max(0, Grey.rint((at - margin) * scale)));
    const [bottom, right] = [box[2], box[3]].map(at => Grey.rint((at + margin) * scale));
    const small = Grey.atMost(Grey.part(grey, top, left, bottom, right), WORK), ink = Ink.find(small, WIDE);
    if (Ink.isBlank(ink) || ink.light !== before.ink.light) return before;
    return { small, ink, ...drawingOf(ink.strength, ink.contrast) };
  }

  // Strokes that would be much thinner than MNIST's are grown.
  function withStroke(shape, scale) {
    const limit = Math.fround(0.5 * Grey.extent(shape)[1]), { h, w } = shape;
    const set = (y, x) => y >= 0 && y < h && x >= 0 && x < w && shape.d[y * w + x] > limit;
    let area = 0, perimeter = 0;
    for (let y = -1; y <= h; y++) {
      for (let x = -1; x <= w; x++) {
        area += set(y, x);
        perimeter += (set(y, x) !== set(y + 1, x)) + (set(y, x) !== set(y, x + 1));
      }
    }
    const stroke = ((2.6 * area) / Math.max(1, perimeter)) * scale;
    if (stroke >= THIN) return shape;
    const reach = Grey.rint((THIN - stroke) / scale / 2);
    return reach < 1 ? shape : grown(Grey.padded(shape, reach, false), reach);
  }

  // The largest value within that many pixels along both axes; 0 beyond the border.
  const grown = (image, reach) => {
    const out = Grey.extreme(Grey.padded(image, reach, false), 2 * reach + 1);
    return Grey.part(out, reach, reach, out.h - reach, out.w - reach);
  };

  // An image that is already drawn as the data set's are, as it is or moved to the middle; else null.
  function inStyle(image, style) {
    const { h, w, d } = image, border = [];
    for (let x = 0; x < w; x++) border.push(d[x], d[(h - 1) * w + x]);
    for (let y = 0; y < h; y++) border.push(d[y * w], d[y * w + w - 1]);
    const paper = Grey.median(border);
    if (style.light ? paper > PLAIN : paper < 255 - PLAIN) return null;
    const ink = style.light ? image : Grey.map(image, value => 255 - value);
    const [top, left, bottom, right] = Grey.box(Grey.map(ink, value => (value >= DARK ? 1 : 0)));
    const side = bottom ? Math.max(bottom - top, right - left) : 0;
    if (side < style.shortest || side > style.longest) return null;
    let mass = 0, down = 0, across = 0;
    ink.d.forEach((value, i) => { mass += value; down += value * Math.floor(i / w); across += value * (i % w); });
    mass = Math.max(mass, 1);
    if (!bottom || Math.max(Math.abs(down / mass - h / 2), Math.abs(across / mass - w / 2)) <= style.farthest + 1e-9) return image;
    if (!style.by_mass) return null;
    const shape = Grey.part(ink, ...Grey.box(Grey.map(ink, value => (value > PLAIN ? 1 : 0)))), out = Grey.make(h, w);
    place(shape, out, true, shape);
    return style.light ? out : Grey.map(out, value => 255 - value);
  }

  return { prepare, asDrawn };
})();
