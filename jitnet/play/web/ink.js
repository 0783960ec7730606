// Where the ink of a picture is: jitnet/data/pictures/ink.py and shapes.py, step by step.
"use strict";

const Ink = (() => {
  const CONTRAST = 24, WIDEST = 0.4, COARSE = 64, NEAR = 0.1, ALL_ALONG = 0.08, THICKEST_LINE = 0.06, MOST_INK = 0.45;
  const STROKES = [0.1, 0.2], RING = 0.015, EVEN = 0.8, STEEP = 0.03, BETWEEN = 0.03, MOST = 25;
  const MARGINS = Array.from({ length: 21 }, (_, place) => place / 100);

  function find(grey, widest = WIDEST) {
    let { light, margin, paper } = polarity(grey);
    const inner = Grey.part(grey, margin, margin, grey.h - margin, grey.w - margin);
    const rest = Grey.map(inner, (value, i) => (light ? value - paper.d[i] : paper.d[i] - value));
    let found;
    if (isFlat(rest)) {
      found = Grey.map(rest, value => Math.max(value, 0));
    } else {
      light = sideOfStrokes(inner, light);
      found = difference(inner, paper, light, widest);
    }
    const inside = withoutLines(found), strength = Grey.make(grey.h, grey.w);
    for (let y = 0; y < inside.h; y++) strength.d.set(inside.d.subarray(y * inside.w, (y + 1) * inside.w), (y + margin) * grey.w + margin);
    return { strength, light, contrast: strong(strength.d), noise: noise(grey), margin };
  }

  // The level of strong ink: the mean of the strongest thousandth, at most 25 pixels.
  function strong(values) {
    const top = new Float32Array(Math.min(Math.max(1, Math.floor(values.length / 1000)), MOST)).fill(-Infinity);
    for (const value of values) {
      let place = 0; // `top` rises: a larger value moves the smaller ones down
      for (; place < top.length && value > top[place]; place++) if (place) top[place - 1] = top[place];
      if (place) top[place - 1] = value;
    }
    return Math.fround(top.reduce((a, b) => a + b, 0) / top.length);
  }

  const isBlank = ink => ink.contrast < Math.max(CONTRAST, 5 * ink.noise);

  // The paper is what the border shows; where most of the area differs from it, the border was a frame, if it is even.
  function polarity(grey) {
    const side = Math.min(grey.h, grey.w), margins = [...new Set(MARGINS.map(share => Grey.rint(share * side)))].sort((a, b) => a - b);
    let first = null, drawn = null;
    for (const margin of margins) {
      const inner = Grey.part(grey, margin, margin, grey.h - margin, grey.w - margin);
      if (Math.min(inner.h, inner.w) < 4) break;
      const paper = plane(inner), rest = inner.d.map((value, i) => value - paper.d[i]), size = rest.map(Math.abs);
      const level = Grey.quantile(Grey.sorted(size), 0.995), far = size.map(value => (value > 0.5 * level ? 1 : 0));
      const sum = rest.reduce((total, value, i) => total + (far[i] ? value : 0), 0), share = far.reduce((a, b) => a + b, 0) / far.length;
      const even = onBorder(far, inner, depth(inner)) <= 1 - EVEN;
      if (!margin) {
        drawn = far;
        if (even) first = { light: sum > 0, margin, paper };
      }
      const isFrame = margin && even && (!first || onBorder(drawn, grey, margin) <= 1 - EVEN);
      if (share <= MOST_INK && (isFrame || !margin)) return { light: sum > 0, margin, paper };
    }
    if (first) return first;
    const middle = Grey.median(grey.d);
    let sum = 0;
    for (const value of grey.d) sum += (value - middle) ** 3;
    return { light: sum > 0, margin: 0, paper: Grey.map(grey, () => middle) };
  }

  // Pixels next to the border, which show the paper.
  const depth = ({ h, w }) => Math.max(1, Grey.rint(RING * Math.min(h, w)));
  const isBorder = ({ h, w }, deep, y, x) => y < deep || y >= h - deep || x < deep || x >= w - deep;

  // The mean of what is set in the `deep` outermost pixels.
  function onBorder(mask, { h, w }, deep) {
    let set = 0, all = 0;
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        if (!isBorder({ h, w }, deep, y, x)) continue;
        all++;
        if (mask[y * w + x]) set++;
      }
    }
    return set / all;
  }

  // Whether a picture less its paper has two levels alone: no shadow, and the border is paper.
  function isFlat(rest) {
    const { h, w, d } = rest, contrast = Grey.quantile(Grey.sorted(d), 0.99);
    if (contrast < CONTRAST || onBorder(d.map(value => (value > 0.5 * contrast ? 1 : 0)), rest, depth(rest)) > 1 - EVEN) return false;
    const steep = (a, b) => Math.abs(Math.fround(d[b] - d[a])) > STEEP * contrast;
    let between = 0;
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        const at = y * w + x;
        if (!(Math.abs(d[at]) > 0.2 * contrast && d[at] < 0.8 * contrast)) continue;
        const next = (place, last, step) => { // the steps to both neighbours; at the end of a line the one there is
          const ahead = place < last ? steep(at, at + step) : steep(at - step, at), back = place ? steep(at - step, at) : steep(at, at + step);
          return ahead || back;
        };
        if ((h > 1 && next(y, h - 1, w)) || (w > 1 && next(x, w - 1, 1))) continue;
        between++;
      }
    }
    return between / d.length < BETWEEN;
  }

  // Whether the strokes of an unevenly lit picture are light: what is narrow is a stroke, shadows are wide.
  function sideOfStrokes(grey, light) {
    const coarse = Grey.blurred(Grey.atMost(grey, COARSE), 3);
    const [fine, wide] = STROKES.map(share => narrow(coarse, Math.max(3, Grey.rint(share * Math.min(coarse.h, coarse.w)) | 1)));
    const sure = [0, 1].map(side => fine[0] + fine[1] > 0 && fine[side] > 2 * fine[1 - side] && 1.5 * wide[side] > wide[1 - side]);
    return sure[0] || sure[1] ? sure[1] : light;
  }

  // How much is dark and narrower than a window, and how much is light and so.
  function narrow(grey, window) {
    return [1, -1].map(sign => {
      const other = Grey.extreme(Grey.extreme(grey, window, sign), window, -sign);
      return other.d.reduce((sum, value, i) => sum + (value - grey.d[i]) ** 2, 0);
    });
  }

  // The plane through the border's grey levels, without those that are far from it.
  function plane(grey) {
    const { h, w } = grey, long = Math.max(h, w), deep = depth(grey);
    const known = [];
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        if (isBorder(grey, deep, y, x)) {
          known.push([1, Math.fround(x / long), Math.fround(y / long), grey.d[y * w + x]]);
        }
      }
    }
    let fit = [Grey.median(known.map(row => row[3])), 0, 0];
    for (let turn = 0; turn < 4; turn++) {
      const distance = known.map(([one, x, y, level]) => Math.abs(level - (fit[0] * one + fit[1] * x + fit[2] * y)));
      const limit = Math.max(Grey.quantile(Float64Array.from(distance).sort(), 0.7), 1);
      fit = leastSquares(known.filter((_, i) => distance[i] <= limit));
    }
    const [a, b, c] = fit.map(Math.fround), out = Grey.make(h, w);
    for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) out.d[y * w + x] = a + b * Math.fround(x / long) + c * Math.fround(y / long);
    return out;
  }

  // The least-squares solution of rows [a, b, c, level], from the normal equations of centred columns.
  function leastSquares(rows) {
    const mean = [0, 1, 2, 3].map(k => rows.reduce((sum, row) => sum + row[k], 0) / rows.length);
    let xx = 0, xy = 0, yy = 0, xl = 0, yl = 0;
    for (const row of rows) {
      const x = row[1] - mean[1], y = row[2] - mean[2], l = row[3] - mean[3];
      xx += x * x; xy += x * y; yy += y * y; xl += x * l; yl += y * l;
    }
    const d = xx * yy - xy * xy;
    const b = d > 1e-12 * xx * yy ? (xl * yy - yl * xy) / d : 0, c = d > 1e-12 * xx * yy ? (yl * xx - xl * xy) / d : 0;
    return [mean[3] - b * mean[1] - c * mean[2], b, c];
  }

  function difference(grey, paperPlane, light, widest) {
    const coarse = Grey.atMost(grey, COARSE);
    const calm = Math.max(grey.h, grey.w) > COARSE ? Grey.blurred(coarse, 3) : coarse;
    const window = Math.max(3, Grey.rint(widest * Math.min(coarse.h, coarse.w)) | 1);
    const sign = light ? -1 : 1;
    const around = Grey.padded(isCrossed(coarse) ? Grey.atMost(paperPlane, COARSE) : calm, window, true);
    for (let y = 0; y < calm.h; y++) around.d.set(calm.d.subarray(y * calm.w, (y + 1) * calm.w), (y + window) * around.w + window);
    let paper = Grey.blurred(Grey.extreme(Grey.extreme(around, window, sign), window, -sign), (window >> 2) | 1);
    paper = Grey.enlarged(Grey.part(paper, window, window, paper.h - window, paper.w - window), grey.h, grey.w);
    if (light) return Grey.map(grey, (value, i) => Math.max(value - paper.d[i], 0));
    paper = Grey.map(paper, value => Math.max(value, 1));
    const level = Grey.quantile(Grey.sorted(paper.d), 0.9);
    return Grey.map(grey, (value, i) => Math.fround(Math.fround(Math.max(Math.fround(paper.d[i] - value), 0)) / paper.d[i]) * level);
  }

  // Whether ink reaches the border: near it the grey levels jump, as no shadow's do.
  function isCrossed(coarse) {
    const all = Grey.sorted(coarse.d), contrast = Grey.quantile(all, 0.99) - Grey.quantile(all, 0.01);
    const deep = Math.max(1, Grey.rint(NEAR * Math.min(coarse.h, coarse.w)));
    return [coarse, Grey.transposed(coarse)].some(each => {
      for (let y = 0; y < each.h; y++) {
        if (y >= deep && y < each.h - deep) continue;
        for (let x = 2; x < each.w; x++) {
          if (Math.abs(each.d[y * each.w + x] - each.d[y * each.w + x - 2]) > 0.6 * contrast) return true;
        }
      }
      return false;
    });
  }

  // Without thin lines from border to border: ruled and squared paper, a thin frame.
  function withoutLines(strength) {
    const rows = source => {
      const level = new Float32Array(source.h), limit = 0.1 * strong(source.d);
      for (let y = 0; y < source.h; y++) level[y] = Grey.quantile(Grey.sorted(source.d.subarray(y * source.w, (y + 1) * source.w)), ALL_ALONG);
      const kept = thin(Array.from(level, value => value > limit));
      return Grey.map(source, (value, i) => Math.max(value - (kept[Math.floor(i / source.w)] ? level[Math.floor(i / source.w)] : 0), 0));
    };
    return Grey.transposed(rows(Grey.transposed(rows(strength))));
  }

  function thin(there) {
    const kept = there.map(() => false), most = Math.max(1, THICKEST_LINE * there.length);
    for (let start = 0; start < there.length; start++) {
      if (!there[start]) continue;
      let stop = start;
      while (stop < there.length && there[stop]) stop++;
      if (stop - start <= most) kept.fill(true, start, stop);
      start = stop;
    }
    return kept;
  }

  function noise(grey) {
    if (grey.w < 3) return 0;
    const second = [];
    for (let y = 0; y < grey.h; y++) {
      for (let x = 0; x + 2 < grey.w; x++) {
        const at = y * grey.w + x;
        second.push(Math.abs(grey.d[at] - 2 * grey.d[at + 1] + grey.d[at + 2]));
      }
    }
    return Grey.median(second) / 0.6745 / Math.sqrt(6);
  }

  return { find, strong, isBlank };
})();
