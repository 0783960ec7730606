// The arithmetic in JavaScript: what engine.js calls where WebAssembly is missing, and what the module is compared with.
//
// Every function works on one image in one heap of 32-bit floats. An argument named after an array is the place of its
// first number in the heap. Images are (H, W, C); the input of a convolution has a border of zeros, so it is
// (H+2, W+2, C). Weights are (3, 3, C, K) and (D, K) as in Python; `wt` is a convolution's weights as (K, 3, 3, C).
// `terms`, room for lists, is given last and used in C only.
"use strict";

function plainKernels(heap, whole) {
  const f = heap; // Float32Array
  const index = whole; // Int32Array of the same memory
  let sums = new Float64Array(64);

  // out[y+1, x+1, c] = x[y, x, c]
  function pad(x, H, W, C, out) {
    for (let y = 0; y < H; y++) f.copyWithin(out + ((y + 1) * (W + 2) + 1) * C, x + y * W * C, x + (y + 1) * W * C);
  }

  // out[y, x, c] = padded[y+1, x+1, c]
  function unpad(padded, H, W, C, out) {
    for (let y = 0; y < H; y++) {
      const from = padded + ((y + 1) * (W + 2) + 1) * C;
      f.copyWithin(out + y * W * C, from, from + W * C);
    }
  }

  // z[y, x, k] = bias[y, x, k] + sum_{i, j < 3, c} x[y+i, x+j, c] * w[i, j, c, k]; x is padded.
  // Four pixels and two filters at a time: their eight sums are local variables.
  function convForward(x, w, bias, z, H, W, C, K, perPosition) {
    const line = (W + 2) * C, row = 3 * C;
    for (let y = 0; y < H; y++) {
      for (let p = 0; p < W; p += 4) {
        const at = x + y * line + p * C, many = Math.min(4, W - p);
        const s1 = many > 1 ? C : 0, s2 = many > 2 ? 2 * C : 0, s3 = many > 3 ? 3 * C : 0;
        for (let k = 0; k < K; k += 2) {
          const second = k + 1 < K ? 1 : 0;
          let a0 = 0, a1 = 0, a2 = 0, a3 = 0, b0 = 0, b1 = 0, b2 = 0, b3 = 0;
          for (let i = 0; i < 3; i++) {
            let from = at + i * line, weight = w + i * row * K + k;
            for (const end = from + row; from < end; from++, weight += K) {
              const u = f[weight], v = f[weight + second];
              const x0 = f[from], x1 = f[from + s1], x2 = f[from + s2], x3 = f[from + s3];
              a0 += x0 * u; b0 += x0 * v;
              a1 += x1 * u; b1 += x1 * v;
              a2 += x2 * u; b2 += x2 * v;
              a3 += x3 * u; b3 += x3 * v;
            }
          }
          let out = z + (y * W + p) * K + k, b = bias + (perPosition ? (y * W + p) * K : 0) + k;
          const next = perPosition ? K : 0;
          f[out] = a0 + f[b];
          if (second) f[out + 1] = b0 + f[b + 1];
          if (many > 1) { out += K; b += next; f[out] = a1 + f[b]; if (second) f[out + 1] = b1 + f[b + 1]; }
          if (many > 2) { out += K; b += next; f[out] = a2 + f[b]; if (second) f[out + 1] = b2 + f[b + 1]; }
          if (many > 3) { out += K; b += next; f[out] = a3 + f[b]; if (second) f[out + 1] = b3 + f[b + 1]; }
        }
      }
    }
  }

  // For each g = gz[y, x, k] that is not 0:  gwt[k] += g * (the 3x3xC window of x at y, x),  gbias += g, and unless gx
  // is 0  gx's window += g * wt[k]. After a ReLU and a pool seven of eight are 0.
  function convBackward(x, wt, gz, gwt, gbias, gx, H, W, C, K, perPosition) {
    const line = (W + 2) * C, row = 3 * C;
    for (let y = 0; y < H; y++) {
      for (let p = 0; p < W; p++) {
        const place = (y * W + p) * K, at = y * line + p * C;
        for (let k = 0; k < K; k++) {
          const g = f[gz + place + k];
          if (g === 0) continue;
          f[gbias + (perPosition ? place : 0) + k] += g;
          for (let i = 0; i < 3; i++) {
            const weight = (k * 3 + i) * row, from = at + i * line;
            if (gx) {
              for (let c = 0; c < row; c++) {
                f[gwt + weight + c] += g * f[x + from + c];
                f[gx + from + c] += g * f[wt + weight + c];
              }
            } else {
              for (let c = 0; c < row; c++) f[gwt + weight + c] += g * f[x + from + c];
            }
          }
        }
      }
    }
  }

  // out[p, q, c] = max_{i, j < 3} x[2p+i, 2q+j, c]; winner: its place in x. A tie goes to the first, NaN wins.
  function maxPool(x, out, winner, H, W, C) {
    const OH = H >> 1, OW = W >> 1;
    for (let p = 0; p < OH; p++) {
      for (let q = 0; q < OW; q++) {
        const rows = Math.min(3, H - 2 * p), columns = Math.min(3, W - 2 * q), first = (2 * p * W + 2 * q) * C;
        for (let c = 0; c < C; c++) {
          let best = f[x + first + c], place = first + c;
          for (let i = 0; i < rows; i++) {
            for (let j = 0; j < columns; j++) {
              const at = first + (i * W + j) * C + c, value = f[x + at];
              if (value > best || value !== value) { best = value; place = at; }
            }
          }
          f[out + (p * OW + q) * C + c] = best;
          index[winner + (p * OW + q) * C + c] = place;
        }
      }
    }
  }

  // gx[winner] += g; gx is 0 before
  function maxPoolBackward(g, winner, gx, n) {
    for (let i = 0; i < n; i++) f[gx + index[winner + i]] += f[g + i];
  }

  // out[k] = bias[k] + sum_d x[d] * w[d, k]; an input that is 0 adds nothing, its row is not read
  function denseForward(x, w, bias, out, D, K) {
    if (sums.length < K) sums = new Float64Array(K);
    for (let k = 0; k < K; k++) sums[k] = f[bias + k];
    for (let d = 0; d < D; d++) {
      const value = f[x + d];
      if (value === 0) continue;
      const row = w + d * K;
      for (let k = 0; k < K; k++) sums[k] += value * f[row + k];
    }
    for (let k = 0; k < K; k++) f[out + k] = sums[k];
  }

  // gw[d, k] += x[d] * gz[k], gbias[k] += gz[k], and unless gx is 0 gx[d] = sum_k w[d, k] * gz[k]. With `skip` an input
  // that is 0 has no gradient either: a ReLU made it 0.
  function denseBackward(x, w, gz, gw, gbias, gx, D, K, skip) {
    for (let k = 0; k < K; k++) f[gbias + k] += f[gz + k];
    for (let d = 0; d < D; d++) {
      const value = f[x + d], row = d * K;
      if (value === 0 && (skip || !gx)) { if (gx) f[gx + d] = 0; continue; }
      if (value !== 0) for (let k = 0; k < K; k++) f[gw + row + k] += value * f[gz + k];
      if (gx) {
        let sum = 0;
        for (let k = 0; k < K; k++) sum += f[w + row + k] * f[gz + k];
        f[gx + d] = sum;
      }
    }
  }

  // out = z where z > 0, else slope * z; NaN stays
  function rectify(z, out, n, slope) {
    for (let i = 0; i < n; i++) {
      const value = f[z + i];
      f[out + i] = value > 0 || value !== value ? value : slope === 0 ? 0 : slope * value;
    }
  }

  // gz = g where z > 0, else slope * g
  function rectifyBackward(z, g, gz, n, slope) {
    for (let i = 0; i < n; i++) f[gz + i] = f[z + i] > 0 ? f[g + i] : slope * f[g + i];
  }

  // w -= rate * g, and g = 0
  function descend(w, g, n, rate) {
    for (let i = 0; i < n; i++) { f[w + i] -= rate * f[g + i]; f[g + i] = 0; }
  }

  // The same for a convolution, whose gradient is transposed: w is (n, K), g and wt are (K, n)
  function descendTransposed(w, wt, g, n, K, rate) {
    for (let k = 0; k < K; k++) {
      for (let i = 0; i < n; i++) {
        const value = f[w + i * K + k] - rate * f[g + k * n + i];
        f[w + i * K + k] = value;
        f[wt + k * n + i] = value;
        f[g + k * n + i] = 0;
      }
    }
  }

  const winnerAt = place => index[place];

  return {
    name: "JavaScript", winnerAt, pad, unpad, convForward, convBackward, maxPool, maxPoolBackward, denseForward, denseBackward,
    rectify, rectifyBackward, descend, descendTransposed,
  };
}
