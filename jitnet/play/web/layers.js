// What has no fast form: average pooling, the softmax and the losses, as in kernels/layers/.
"use strict";

// The mean of the pixels of each 3x3 window, stride 2, that exist.
function averagePool(f, x, out, H, W, C) {
  for (let p = 0; p < H >> 1; p++) {
    for (let q = 0; q < W >> 1; q++) {
      const rows = Math.min(3, H - 2 * p), columns = Math.min(3, W - 2 * q);
      for (let c = 0; c < C; c++) {
        let sum = 0;
        for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) sum += f[x + ((2 * p + i) * W + 2 * q + j) * C + c];
        f[out + (p * (W >> 1) + q) * C + c] = sum / (rows * columns);
      }
    }
  }
}

function averagePoolBackward(f, g, gx, H, W, C) {
  for (let p = 0; p < H >> 1; p++) {
    for (let q = 0; q < W >> 1; q++) {
      const rows = Math.min(3, H - 2 * p), columns = Math.min(3, W - 2 * q);
      for (let c = 0; c < C; c++) {
        const share = f[g + (p * (W >> 1) + q) * C + c] / (rows * columns);
        for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) f[gx + ((2 * p + i) * W + 2 * q + j) * C + c] += share;
      }
    }
  }
}

function softmax(scores) {
  const top = Math.max(...scores), powers = Array.from(scores, score => Math.exp(score - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map(power => power / sum);
}

// Return the loss of one image, and write its gradient with respect to the scores: kernels/layers/loss.py.
// kind: "cross-entropy" or "mse" of the softmax, target the class; "numbers": mse, target an array.
function outputLoss(kind, scores, target, gradient) {
  const K = scores.length;
  let loss = 0;
  if (kind === "numbers") {
    for (let k = 0; k < K; k++) {
      const error = scores[k] - target[k];
      loss += (error * error) / K;
      gradient[k] = (2 / K) * error;
    }
    return loss;
  }
  const p = softmax(scores);
  if (kind === "cross-entropy") {
    for (let k = 0; k < K; k++) gradient[k] = p[k] - (k === target ? 1 : 0);
    const top = Math.max(...scores);
    return top + Math.log(Array.from(scores, score => Math.exp(score - top)).reduce((a, b) => a + b, 0)) - scores[target];
  }
  let along = 0;
  for (let k = 0; k < K; k++) {
    const error = p[k] - (k === target ? 1 : 0);
    loss += (error * error) / K;
    along += (2 / K) * error * p[k];
  }
  for (let k = 0; k < K; k++) gradient[k] = p[k] * ((2 / K) * (p[k] - (k === target ? 1 : 0)) - along);
  return loss;
}
