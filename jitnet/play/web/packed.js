// Numbers that jitnet/play/pack.py wrote as text.
"use strict";

const Packed = (() => {
  const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%,()*+.;[=]?@^_:{|}~";

  function bytes(text) {
    const value = new Uint8Array(128), words = (text.length - 1) / 5, out = new Uint8Array(4 * words);
    const view = new DataView(out.buffer);
    for (let i = 0; i < 85; i++) value[ALPHABET.charCodeAt(i)] = i;
    for (let n = 0, i = 1; n < words; n++) {
      let word = 0;
      for (const end = i + 5; i < end; i++) word = word * 85 + value[text.charCodeAt(i)];
      view.setUint32(4 * n, word);
    }
    return out.subarray(0, out.length - Number(text[0]));
  }

  async function inflated(text) {
    const stream = new Blob([bytes(text)]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  // counts: of the numbers of each tensor
  async function parameters({ exponents, planes }, counts) {
    const parts = await Promise.all(planes.map(inflated)), out = new Float32Array(counts.reduce((a, b) => a + b, 0));
    let at = 0;
    counts.forEach((count, tensor) => {
      const step = 2 ** exponents[tensor];
      for (const end = at + count; at < end; at++) {
        const code = parts[0][at] + parts[1][at] * 256 + parts[2][at] * 65536 + parts[3][at] * 16777216;
        out[at] = (code % 2 ? -(code + 1) / 2 : code / 2) * step;
      }
    });
    return out;
  }

  // Uint8Array of `count` images of `size` pixels
  async function images({ mask, levels, count }, size) {
    const [bits, values] = await Promise.all([inflated(mask), inflated(levels)]), out = new Uint8Array(count * size);
    for (let i = 0, next = 0; i < out.length; i++) if ((bits[i >> 3] >> (7 - (i & 7))) & 1) out[i] = values[next++];
    return out;
  }

  const floats = async text => new Float32Array((await inflated(text)).buffer);

  return { bytes, inflated, parameters, images, floats };
})();
