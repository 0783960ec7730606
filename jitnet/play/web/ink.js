// Where the ink of a picture is: jitnet/data/pictures/ink.py and shapes.py, step by step.
"use strict";

const Ink = (() => {
  const CONTRAST = 24, WIDEST = 0.4, COARSE = 64, NEAR = 0.1, ALL_ALONG = 0.08, THICKEST_LINE = 0.06, MOST_INK = 0.45;
  const MARGINS = [0, 0.03, 0.06, 0.1, 0.15, 0.2];

  function find(grey, widest = WIDEST) {
    const { light, margin, paper } = polarity(grey);
    const inner = Grey.part(grey, margin, margin, grey.h - margin, grey.w - margin);
    const inside = withoutLines(difference(inner, paper, light, widest)), strength = Grey.make(grey.h, grey.w);
    for (let y = 0; y < inside.h; y++) strength.d.set(inside.d.subarray(y * inside.w, (y + 1) * inside.w), (y + margin) * grey.w + margin);
    return { strength, light, contrast: strong(strength.d), noise: noise(grey), margin };
  }

  // The level of strong ink: the mean of the strongest thousandth.
  function strong(values) {
    const most = Math.max(1, Math.floor(values.length / 1000)), all = Grey.sorted(values);
    let sum = 0;
    for (let i = all.length - most; i < all.length; i++) sum += all[i];
    return Math.fround(sum / most);
  }

  const isBlank = ink => ink.contrast < Math.max(CONTRAST, 5 * ink.noise);

  function polarity(grey) {
    const side = Math.min(grey.h, grey.w);
    for (const share of MARGINS) {
      const margin = Grey.rint(share * side);
      const inner = Grey.part(grey, margin, margin, grey.h - margin, grey.w - margin);
      if (Math.min(inner.h, inner.w) < 4) break;
      const paper = plane(inner), rest = inner.d.map((value, i) => value - paper.d[i]), size = rest.map(Math.abs);
      const level = Grey.quantile(Grey.sorted(size), 0.995);
      let far = 0, sum = 0;
      for (let i = 0; i < size.length; i++) if (size[i] > 0.5 * level) { far++; sum += rest[i]; }
      if (far / size.length <= MOST_INK) return { light: sum > 0, margin, paper };
    }
    const middle = Grey.median(grey.d);
    let sum = 0;
    for (const value of grey.d) sum += (value - middle) ** 3;
    return { light: sum > 0, margin: 0, paper: Grey.map(grey, () => middle) };
  }

  // The plane through the border's grey levels, without those that are far from it.
  function plane(grey) {
    const { h, w } = grey, long = Math.max(h, w), deep = Math.max(1, Grey.rint(0.04 * Math.min(h, w)));
    const known = [];
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        if (y < deep || y >= h - deep || x < deep || x >= w - deep) {
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
