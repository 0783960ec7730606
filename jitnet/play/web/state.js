// What the page knows, and who is informed when it changes. Two engines: one trains, the other one is looked into.
"use strict";

const App = {
  data: null, // what jitnet/play/page.py wrote
  trainer: null, // its parameters are the network's
  viewer: null, // the same parameters, with the values of the shown image, and the gradients of its loss
  image: null, // what the network is shown: H*W*C numbers from 0 to 1, or null
  truth: 0, // the class whose loss the backward pass starts from
  backward: false, // whether gradients are shown
  train: null, // {images: Uint8Array or Float32Array, targets, count}, to train on
  test: null, // the same, to measure on
  own: [], // the digits that were taught: {image: Uint8Array, label}
  busy: false, // while it trains
  loss: null, // of the shown image, if `backward`
  listeners: {},

  on(event, listener) { (this.listeners[event] = this.listeners[event] || []).push(listener); },
  emit(event, value) { for (const listener of this.listeners[event] || []) listener(value); },

  get size() { return this.data.spec.image.reduce((a, b) => a * b, 1); },
  get numbers() { return this.data.spec.loss === "numbers"; },
  get drawable() { return !this.numbers && this.data.spec.image[2] === 1; },
  nameOf(k) { return k < this.data.names.length ? this.data.names[k] : String(k); },
  // A regression's score in the unit of its target
  inUnit(score) {
    const { means, deviations } = this.data, last = means.length - 1;
    return means.length ? score * deviations[last] + means[last] : score;
  },

  // Show an image (or null): `pixels` are bytes, or numbers as they are.
  show(pixels) {
    this.image = pixels && (pixels instanceof Uint8Array ? Float32Array.from(pixels, value => value / 255) : pixels);
    this.look();
    this.emit("image");
  },

  // Compute what is shown from the parameters as they are now.
  look() {
    const { viewer } = this;
    this.loss = null;
    if (!this.image) return;
    viewer.forward(this.image);
    if (!this.backward) return;
    viewer.clear();
    this.loss = viewer.backward(this.numbers ? [this.truth] : this.truth);
  },

  // Whether an element can be seen: while the network trains, nothing else is drawn again.
  isSeen(element) {
    const box = element.getBoundingClientRect();
    return !this.busy || (box.bottom > 0 && box.top < innerHeight);
  },

  // Call after the trainer's parameters have changed.
  changed() {
    this.viewer.parameters = this.trainer.parameters;
    this.look();
    this.emit("weights");
  },

  get scores() { return this.image && Array.from(this.viewer.view(this.viewer.last.out, this.viewer.classes)); },

  pixels(set, i) { return set.images.subarray(i * this.size, (i + 1) * this.size); },
  input(set, i) {
    const found = this.pixels(set, i);
    return found instanceof Uint8Array ? Float32Array.from(found, value => value / 255) : found;
  },

  async open(data) {
    this.data = data;
    const module = await Packed.inflated(data.module);
    const make = async () => {
      try {
        return await wasmEngine(data.spec, module);
      } catch {
        return plainEngine(data.spec); // no WebAssembly, or none with vectors
      }
    };
    [this.trainer, this.viewer] = [await make(), await make()];
    this.viewer.all = true;
    const counts = Object.values(this.trainer.tensors()).map(({ values }) => values.length);
    this.counts = counts;
    this.kept = await Packed.parameters(data.parameters, counts);
    this.trainer.parameters = this.viewer.parameters = this.kept;
    for (const name of ["train", "test"]) this[name] = await this.unpack(data[name]);
  },

  async unpack(given) {
    if (!given.count) return { images: new Uint8Array(0), targets: [], count: 0 };
    if (given.rows) return { images: await Packed.floats(given.rows), targets: await Packed.floats(given.values), count: given.count };
    return { images: await Packed.images(given, this.size), targets: await Packed.inflated(given.labels), count: given.count };
  },
};
