// Pictures of grey levels, and what prepare.js needs of numpy: each is {h, w, d}, d a Float32Array of h * w numbers.
"use strict";

const Grey = (() => {
  const make = (h, w) => ({ h, w, d: new Float32Array(h * w) });

  // Python's round and numpy's rint: halves go to the even neighbour.
  function rint(x) {
    const low = Math.floor(x), rest = x - low;
    if (rest !== 0.5) return Math.round(x);
    return low % 2 === 0 ? low : low + 1;
  }

  function bytes(image, factor = 1) {
    const out = new Uint8ClampedArray(image.d.length);
    for (let i = 0; i < out.length; i++) out[i] = Math.min(255, Math.max(0, rint(Math.fround(image.d[i] * factor))));
    return { h: image.h, w: image.w, d: Float32Array.from(out) };
  }

  function map(image, f) {
    const out = make(image.h, image.w);
    for (let i = 0; i < out.d.length; i++) out.d[i] = f(image.d[i], i);
    return out;
  }

  function part(image, top, left, bottom, right) {
    top = Math.min(top, image.h); left = Math.min(left, image.w);
    bottom = Math.min(bottom, image.h); right = Math.min(right, image.w);
    const out = make(Math.max(0, bottom - top), Math.max(0, right - left));
    for (let y = 0; y < out.h; y++) {
      out.d.set(image.d.subarray((y + top) * image.w + left, (y + top) * image.w + right), y * out.w);
    }
    return out;
  }

  function transposed(image) {
    const out = make(image.w, image.h);
    for (let y = 0; y < image.h; y++) for (let x = 0; x < image.w; x++) out.d[x * image.h + y] = image.d[y * image.w + x];
    return out;
  }

  // Apply f, which works along rows, along axis 1, or along axis 0 by way of the transpose.
  const along = (image, axis, f) => (axis === 1 ? f(image) : transposed(f(transposed(image))));

  // Each new pixel is the mean over the area that it covers.
  function resized(image, h, w) {
    return shrunk(transposed(shrunk(transposed(image), h)), w); // rows first, as numpy does
  }

  function shrunk(image, w) { // along rows
    const out = make(image.h, w), old = image.w, size = old / w;
    for (let x = 0; x < w; x++) {
      const start = x * size, stop = (x + 1) * size, first = Math.floor(start), last = Math.min(old, Math.ceil(stop));
      for (let y = 0; y < image.h; y++) {
        let sum = 0;
        for (let p = first; p < last; p++) {
          const covered = Math.max(0, Math.min(stop, p + 1) - Math.max(start, p));
          sum += Math.fround(covered * (w / old)) * image.d[y * old + p];
        }
        out.d[y * w + x] = sum;
      }
    }
    return out;
  }

  function atMost(image, side) {
    const scale = side / Math.max(image.h, image.w);
    if (scale >= 1) return image;
    return resized(image, Math.max(1, rint(image.h * scale)), Math.max(1, rint(image.w * scale)));
  }

  // By straight lines between the middles of the pixels.
  function enlarged(image, h, w) {
    const stretch = n => source => {
      const out = make(source.h, n), old = source.w;
      for (let x = 0; x < n; x++) {
        const at = Math.min(Math.max((x + 0.5) * (old / n) - 0.5, 0), old - 1);
        const low = Math.min(Math.floor(at), Math.max(0, old - 2)), high = Math.min(low + 1, old - 1);
        const share = Math.fround(at - low), rest = Math.fround(1 - share);
        for (let y = 0; y < source.h; y++) {
          out.d[y * n + x] = Math.fround(source.d[y * old + low] * rest) + Math.fround(source.d[y * old + high] * share);
        }
      }
      return out;
    };
    return along(along(image, 0, stretch(h)), 1, stretch(w));
  }

  // The largest value in a square window around each pixel, the border continued; with sign -1 the smallest.
  function extreme(image, window, sign = 1) {
    const half = window >> 1;
    const pass = source => {
      const { w } = source, out = make(source.h, w), row = new Float32Array(w + 2 * half);
      for (let y = 0; y < source.h; y++) {
        for (let x = 0; x < row.length; x++) row[x] = sign * source.d[y * w + Math.min(w - 1, Math.max(0, x - half))];
        let length = 1; // of the windows that `row` has the extremes of: it doubles
        for (; 2 * length <= window; length *= 2) widen(row, length);
        if (length < window) widen(row, window - length);
        for (let x = 0; x < w; x++) out.d[y * w + x] = sign * row[x];
      }
      return out;
    };
    return along(along(image, 0, pass), 1, pass);
  }

  function widen(row, by) {
    for (let x = 0; x + by < row.length; x++) if (row[x + by] > row[x]) row[x] = row[x + by];
  }

  // The mean over a square window around each pixel, the border continued.
  function blurred(image, window) {
    const half = window >> 1;
    const pass = source => {
      const out = make(source.h, source.w);
      for (let y = 0; y < source.h; y++) {
        for (let x = 0; x < source.w; x++) {
          let sum = 0;
          for (let p = x - half; p <= x - half + window - 1; p++) sum += source.d[y * source.w + Math.min(source.w - 1, Math.max(0, p))];
          out.d[y * source.w + x] = sum / window;
        }
      }
      return out;
    };
    return along(along(image, 0, pass), 1, pass);
  }

  function padded(image, n, edge) {
    const out = make(image.h + 2 * n, image.w + 2 * n);
    for (let y = 0; y < out.h; y++) {
      for (let x = 0; x < out.w; x++) {
        const v = y - n, u = x - n, inside = v >= 0 && v < image.h && u >= 0 && u < image.w;
        if (!inside && !edge) continue;
        out.d[y * out.w + x] = image.d[Math.min(image.h - 1, Math.max(0, v)) * image.w + Math.min(image.w - 1, Math.max(0, u))];
      }
    }
    return out;
  }

  const sorted = values => Float32Array.from(values).sort();
  // numpy's quantile of numbers sorted already: between two neighbours by a straight line.
  function quantile(ordered, q) {
    const at = q * (ordered.length - 1), low = Math.floor(at), high = Math.min(low + 1, ordered.length - 1);
    const a = ordered[low], b = ordered[high], t = at - low;
    return t >= 0.5 ? b - (b - a) * (1 - t) : a + (b - a) * t;
  }
  const median = values => {
    const all = sorted(values), n = all.length;
    return n % 2 ? all[(n - 1) / 2] : (all[n / 2 - 1] + all[n / 2]) / 2;
  };

  // top, left, bottom, right of what is not 0
  function box(mask) {
    let top = mask.h, left = mask.w, bottom = 0, right = 0;
    for (let y = 0; y < mask.h; y++) {
      for (let x = 0; x < mask.w; x++) {
        if (!mask.d[y * mask.w + x]) continue;
        top = Math.min(top, y); left = Math.min(left, x);
        bottom = Math.max(bottom, y + 1); right = Math.max(right, x + 1);
      }
    }
    return [top, left, bottom, right];
  }

  const extent = image => {
    let low = Infinity, high = -Infinity;
    for (const value of image.d) { low = Math.min(low, value); high = Math.max(high, value); }
    return [low, high];
  };

  return {
    make, rint, bytes, map, part, transposed, resized, atMost, enlarged, extreme, blurred, padded, sorted, quantile, median,
    box, extent,
  };
})();
