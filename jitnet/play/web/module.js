// The kernels as a WebAssembly module in the heap of an engine.
"use strict";

// Return an engine whose arithmetic is the module in `bytes`; rejects where the browser lacks WebAssembly or its vectors.
async function wasmEngine(spec, bytes) {
  const engine = new Engine(spec);
  const memory = new WebAssembly.Memory({ initial: Math.ceil((4 * engine.length) / 65536) });
  const { instance } = await WebAssembly.instantiate(bytes, { env: { memory } });
  return engine.attach(memory.buffer, addressed(instance.exports, new Int32Array(memory.buffer)));
}

// The module counts bytes where the engine counts floats.
function addressed(exports, whole) {
  const {
    pad, unpad, convForward, convBackward, maxPool, maxPoolBackward, denseForward, denseBackward, rectify, rectifyBackward,
    descend, descendTransposed,
  } = exports;
  return {
    name: "WebAssembly",
    winnerAt: place => whole[place],
    pad: (x, H, W, C, out) => pad(4 * x, H, W, C, 4 * out),
    unpad: (x, H, W, C, out) => unpad(4 * x, H, W, C, 4 * out),
    convForward: (x, w, b, z, H, W, C, K, each) => convForward(4 * x, 4 * w, 4 * b, 4 * z, H, W, C, K, each),
    convBackward: (x, wt, gz, gw, gb, gx, H, W, C, K, each, terms) =>
      convBackward(4 * x, 4 * wt, 4 * gz, 4 * gw, 4 * gb, 4 * gx, H, W, C, K, each, 4 * terms),
    maxPool: (x, out, winner, H, W, C) => maxPool(4 * x, 4 * out, 4 * winner, H, W, C),
    maxPoolBackward: (g, winner, gx, n) => maxPoolBackward(4 * g, 4 * winner, 4 * gx, n),
    denseForward: (x, w, b, out, D, K, terms) => denseForward(4 * x, 4 * w, 4 * b, 4 * out, D, K, 4 * terms),
    denseBackward: (x, w, gz, gw, gb, gx, D, K, skip) =>
      denseBackward(4 * x, 4 * w, 4 * gz, 4 * gw, 4 * gb, 4 * gx, D, K, skip),
    rectify: (z, out, n, slope) => rectify(4 * z, 4 * out, n, slope),
    rectifyBackward: (z, g, gz, n, slope) => rectifyBackward(4 * z, 4 * g, 4 * gz, n, slope),
    descend: (w, g, n, rate) => descend(4 * w, 4 * g, n, rate),
    descendTransposed: (w, wt, g, n, K, rate) => descendTransposed(4 * w, 4 * wt, 4 * g, n, K, rate),
  };
}
