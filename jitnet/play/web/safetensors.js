// Files of weights that jitnet reads and writes: jitnet/storage/checkpoint.py.
"use strict";

const Safetensors = (() => {
  // SHA-256 (FIPS 180-4): the browser's own is not there for every page that is opened from a disk.
  const primes = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every(p => n % p)) primes.push(n);
  const fraction = x => Math.floor((x - Math.floor(x)) * 2 ** 32) | 0;
  const CONSTANTS = primes.map(p => fraction(Math.cbrt(p)));

  function sha256(bytes) {
    const padded = new Uint8Array(((bytes.length + 72) >> 6) << 6), view = new DataView(padded.buffer);
    padded.set(bytes);
    padded[bytes.length] = 128;
    view.setUint32(padded.length - 8, Math.floor((bytes.length * 8) / 2 ** 32));
    view.setUint32(padded.length - 4, (bytes.length * 8) >>> 0);
    const hash = primes.slice(0, 8).map(p => fraction(Math.sqrt(p))), w = new Int32Array(64);
    const turn = (x, n) => (x >>> n) | (x << (32 - n));
    for (let at = 0; at < padded.length; at += 64) {
      for (let i = 0; i < 16; i++) w[i] = view.getInt32(at + 4 * i);
      for (let i = 16; i < 64; i++) {
        const a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + w[i - 7] + (turn(a, 7) ^ turn(a, 18) ^ (a >>> 3)) + (turn(b, 17) ^ turn(b, 19) ^ (b >>> 10));
      }
      let [a, b, c, d, e, f, g, h] = hash;
      for (let i = 0; i < 64; i++) {
        const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + CONSTANTS[i] + w[i]) | 0;
        const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
        h = g; g = f; f = e; e = (d + one) | 0; d = c; c = b; b = a; a = (one + two) | 0;
      }
      [a, b, c, d, e, f, g, h].forEach((x, i) => { hash[i] = (hash[i] + x) | 0; });
    }
    return hash.map(x => (x >>> 0).toString(16).padStart(8, "0")).join("");
  }

  // Return the bytes of a file of tensors {name: {shape, values: Float32Array}} and texts {name: text}.
  function write(tensors, texts) {
    const header = { __metadata__: { ...texts, format: "jitnet-1", sha256: "0".repeat(64) } };
    let end = 0;
    for (const [name, { shape, values }] of Object.entries(tensors)) {
      header[name] = { dtype: "F32", shape, data_offsets: [end, (end += 4 * values.length)] };
    }
    const escaped = JSON.stringify(header).replace(/[^ -~]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
    const text = escaped + " ".repeat((8 - (escaped.length % 8)) % 8);
    const file = new Uint8Array(8 + text.length + end), view = new DataView(file.buffer);
    view.setUint32(0, text.length, true);
    file.set(new TextEncoder().encode(text), 8);
    let at = 8 + text.length;
    for (const { values } of Object.values(tensors)) {
      for (let i = 0; i < values.length; i++, at += 4) view.setFloat32(at, values[i], true);
    }
    const digits = new TextEncoder().encode(sha256(file));
    file.set(digits, 8 + text.indexOf(`"sha256":"${"0".repeat(64)}"`) + 10);
    return file;
  }

  // Return {tensors: {name: {shape, values}}, texts}; throws a Refusal with the reason. Float tensors only, others skipped.
  function read(file) {
    const refuse = reason => { throw new Refusal(`This is not a usable file of weights: ${reason}.`); };
    const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
    if (file.length < 8) refuse("it is too short");
    const length = view.getUint32(0, true);
    if (view.getUint32(4, true) || length > 2 ** 20 || 8 + length > file.length) refuse("it has no header");
    let header;
    try {
      header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(file.subarray(8, 8 + length)));
    } catch {
      refuse("its header cannot be read");
    }
    if (typeof header !== "object" || header === null) refuse("its header cannot be read");
    const texts = header.__metadata__ || {}, tensors = {};
    delete header.__metadata__;
    for (const [name, entry] of Object.entries(header)) {
      const { dtype, shape, data_offsets: offsets } = entry || {};
      if (!Array.isArray(shape) || !Array.isArray(offsets)) refuse("its header cannot be read");
      if (dtype !== "F32") continue;
      const n = shape.reduce((a, b) => a * b, 1), from = 8 + length + offsets[0];
      if (offsets[1] - offsets[0] !== 4 * n || from + 4 * n > file.length) refuse("it is cut off");
      const values = new Float32Array(n);
      for (let i = 0; i < n; i++) values[i] = view.getFloat32(from + 4 * i, true);
      if (!values.every(Number.isFinite)) refuse(`${name} has a value that is not finite`);
      tensors[name] = { shape, values };
    }
    if (texts.sha256) {
      const copy = file.slice(), at = new TextDecoder("latin1").decode(file.subarray(8, 8 + length)).indexOf(`"sha256":"${texts.sha256}"`);
      if (at >= 0) {
        copy.fill(48, 8 + at + 10, 8 + at + 74);
        if (sha256(copy) !== texts.sha256) refuse("its contents do not match its sha256");
      }
    }
    return { tensors, texts };
  }

  return { sha256, write, read };
})();
