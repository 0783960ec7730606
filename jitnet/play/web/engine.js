// A network in one heap of 32-bit floats: where everything is, forward, backward, and the step of gradient descent.
//
// The arithmetic is in kernels.js or in kernels.wasm, which have the same functions. The engine computes image by image;
// the gradient of a batch is the sum over its images, divided by their number in `descend`.
"use strict";

class Engine {
  // spec: {image: [H, W, C], layers: [{name, kind, size, activation, dropout}], bias, loss}; kinds are conv, pool, avgpool
  // and dense. It computes from `attach` on: see `plainEngine`, and `wasmEngine` in module.js.
  constructor(spec) {
    this.spec = spec;
    this.layers = [];
    this.length = Engine.FIRST;
    const claim = n => { // each array begins at a multiple of 4 floats, and 4 more can be read after it
      const at = this.length;
      this.length += (n + 7) & ~3;
      return at;
    };
    this.#shape(spec);
    const sizes = this.layers.map(layer => layer.weights + layer.biases);
    this.count = sizes.reduce((a, b) => a + b, 0);
    this.params = claim(this.count);
    this.grads = claim(this.count);
    let at = 0;
    for (const layer of this.layers) {
      layer.weight = this.params + at;
      layer.gradWeight = this.grads + at;
      layer.bias = layer.weight + layer.weights;
      layer.gradBias = layer.gradWeight + layer.weights;
      at += layer.weights + layer.biases;
    }
    this.input = claim(this.#size(spec.image));
    let x = this.input, gradX = 0;
    this.layers.forEach((layer, place) => {
      const n = this.#size(layer.outputs), padded = (layer.H + 2) * (layer.W + 2) * layer.C;
      layer.n = n;
      layer.x = x;
      layer.gradX = gradX; // 0: no one needs the gradient of the image
      layer.z = claim(n);
      layer.out = layer.activation === "linear" || !layer.activation ? layer.z : claim(n);
      layer.gradOut = claim(n);
      layer.gradZ = layer.out === layer.z ? layer.gradOut : claim(n);
      layer.winner = layer.kind === "pool" ? claim(n) : 0;
      layer.terms = layer.kind === "conv" ? claim(2 * (n + layer.K)) : layer.kind === "dense" ? claim(2 * layer.C + 2) : 0;
      layer.mask = layer.dropout ? claim(n) : 0;
      if (layer.kind === "conv") {
        layer.transposed = claim(layer.weights);
        layer.padded = claim(padded);
        layer.gradPadded = gradX ? claim(padded) : 0;
      }
      layer.afterRelu = false;
      for (let before = place - 1; before >= 0; before--) {
        if (!this.layers[before].weights) continue;
        layer.afterRelu = this.layers[before].activation === "relu";
        break;
      }
      x = layer.out;
      gradX = layer.gradOut;
    });
    this.last = this.layers[this.layers.length - 1];
    this.classes = this.last.n;
    this.all = false; // whether gradients of inputs that a ReLU made 0 are computed as well, to be looked at
    this.training = false; // whether dropout drops
  }

  // Use `memory`, an ArrayBuffer of at least 4 * length bytes, and the kernels that work in it.
  attach(memory, kernels) {
    this.heap = new Float32Array(memory);
    this.kernels = kernels;
    return this;
  }

  #size(extents) { return extents.reduce((a, b) => a * b, 1); }

  #shape(spec) {
    let extent = spec.image.slice();
    spec.layers.forEach((given, place) => {
      const [H, W, C] = extent.length === 3 ? extent : [1, 1, extent[0]];
      const layer = { kind: given.kind, name: given.name, H, W, C, weights: 0, biases: 0 };
      if (given.kind === "conv") {
        layer.K = given.size;
        layer.outputs = [H, W, given.size];
        layer.weights = 9 * C * given.size;
        layer.perPosition = spec.bias === "position";
        layer.biases = (layer.perPosition ? H * W : 1) * given.size;
        layer.activation = given.activation;
      } else if (given.kind === "dense") {
        layer.C = H * W * C;
        layer.H = layer.W = 1;
        layer.K = given.size;
        layer.outputs = [given.size];
        layer.weights = layer.C * given.size;
        layer.biases = given.size;
        layer.activation = place === spec.layers.length - 1 ? "linear" : given.activation;
      } else if (given.kind === "pool" || given.kind === "avgpool") {
        layer.outputs = [H >> 1, W >> 1, C];
      } else {
        throw new Error(`a layer of the unknown kind ${given.kind}`);
      }
      layer.dropout = (layer.K && given.dropout) || 0;
      layer.inputs = extent;
      extent = layer.outputs;
      this.layers.push(layer);
    });
  }

  // The parameters as one Float32Array: of each layer the weights, then the biases.
  get parameters() { return this.heap.subarray(this.params, this.params + this.count); }

  set parameters(values) {
    this.heap.set(values, this.params);
    this.clear();
    for (const layer of this.layers) {
      if (layer.kind === "conv") this.#update(layer, 0); // fills the transposed weights in
    }
  }

  // Parameters by name, each {shape, values}, in the order of `parameters`.
  tensors() {
    const found = {};
    for (const layer of this.layers) {
      if (!layer.weights) continue;
      const conv = layer.kind === "conv";
      const shape = conv ? [3, 3, layer.C, layer.K] : [layer.C, layer.K];
      const extents = conv ? (layer.perPosition ? layer.outputs : [1, 1, layer.K]) : [layer.K];
      found[`${layer.name}.weight`] = { shape, values: this.view(layer.weight, layer.weights) };
      found[`${layer.name}.bias`] = { shape: extents, values: this.view(layer.bias, layer.biases) };
    }
    return found;
  }

  view(at, n) { return this.heap.subarray(at, at + n); }

  clear() { this.heap.fill(0, this.grads, this.grads + this.count); }

  // Compute the scores of an image, an array of H*W*C numbers from 0 to 1; a view, valid until the next call.
  forward(image) {
    this.heap.set(image, this.input);
    for (const layer of this.layers) this.#forward(layer);
    return this.view(this.last.out, this.classes);
  }

  #forward(layer) {
    const { kernels, heap } = this, { x, z, out, H, W, C, K, n } = layer;
    if (layer.kind === "conv") {
      kernels.pad(x, H, W, C, layer.padded);
      kernels.convForward(layer.padded, layer.weight, layer.bias, z, H, W, C, K, layer.perPosition);
    } else if (layer.kind === "dense") {
      kernels.denseForward(x, layer.weight, layer.bias, z, C, K, layer.terms);
    } else if (layer.kind === "pool") {
      kernels.maxPool(x, z, layer.winner, H, W, C);
    } else {
      averagePool(heap, x, z, H, W, C);
    }
    if (out !== z) this.#activate(layer);
    if (!layer.dropout || !this.training) return;
    for (let i = 0; i < n; i++) {
      heap[layer.mask + i] = Math.random() < layer.dropout ? 0 : 1 / (1 - layer.dropout);
      heap[out + i] *= heap[layer.mask + i];
    }
  }

  #activate(layer) {
    const { kernels, heap } = this, { z, out, n } = layer;
    const steep = Engine.RECTIFIERS[layer.activation];
    if (steep !== undefined) {
      kernels.rectify(z, out, n, steep);
    } else {
      const f = Activations.value[layer.activation];
      for (let i = 0; i < n; i++) heap[out + i] = f(heap[z + i]);
    }
  }

  // Add the gradient of one image's loss to the parameters' gradients; after `forward` of it. Returns the loss.
  backward(target) {
    const loss = outputLoss(this.spec.loss, this.view(this.last.out, this.classes), target,
      this.view(this.last.gradOut, this.classes));
    for (let place = this.layers.length - 1; place >= 0; place--) this.#backward(this.layers[place]);
    return loss;
  }

  #backward(layer) {
    const { kernels, heap } = this, { x, z, gradOut, gradZ, gradX, H, W, C, K, n } = layer;
    if (layer.dropout && this.training) for (let i = 0; i < n; i++) heap[gradOut + i] *= heap[layer.mask + i];
    if (gradZ !== gradOut) {
      const steep = Engine.RECTIFIERS[layer.activation];
      if (steep !== undefined) {
        kernels.rectifyBackward(z, gradOut, gradZ, n, steep);
      } else {
        const slope = Activations.slope[layer.activation];
        for (let i = 0; i < n; i++) heap[gradZ + i] = heap[gradOut + i] * slope(heap[z + i]);
      }
    }
    if (layer.kind === "conv") {
      const padded = layer.gradPadded;
      if (padded) heap.fill(0, padded, padded + (H + 2) * (W + 2) * C);
      kernels.convBackward(layer.padded, layer.transposed, gradZ, layer.gradWeight, layer.gradBias, padded, H, W, C, K,
        layer.perPosition, layer.terms);
      if (padded) kernels.unpad(padded, H, W, C, gradX);
    } else if (layer.kind === "dense") {
      const skip = layer.afterRelu && !this.all;
      kernels.denseBackward(x, layer.weight, gradZ, layer.gradWeight, layer.gradBias, gradX, C, K, skip);
    } else if (gradX) {
      heap.fill(0, gradX, gradX + H * W * C);
      if (layer.kind === "pool") kernels.maxPoolBackward(gradOut, layer.winner, gradX, n);
      else averagePoolBackward(heap, gradOut, gradX, H, W, C);
    }
  }

  // parameter -= lr * (mean gradient over `images` images); the gradients are 0 afterwards
  descend(lr, images) {
    for (const layer of this.layers) if (layer.weights) this.#update(layer, lr / images);
  }

  #update(layer, rate) {
    const { weight, gradWeight, weights, bias, gradBias, biases } = layer;
    if (layer.kind === "conv") {
      this.kernels.descendTransposed(weight, layer.transposed, gradWeight, 9 * layer.C, layer.K, rate);
    } else {
      this.kernels.descend(weight, gradWeight, weights, rate);
    }
    this.kernels.descend(bias, gradBias, biases, rate);
  }

  // The gradient of a layer's weights as Python has it: (3, 3, C, K) or (D, K)
  weightGradient(layer) {
    const given = this.view(layer.gradWeight, layer.weights);
    if (layer.kind !== "conv") return given;
    const rows = 9 * layer.C, found = new Float32Array(layer.weights);
    for (let k = 0; k < layer.K; k++) for (let i = 0; i < rows; i++) found[i * layer.K + k] = given[k * rows + i];
    return found;
  }

  isFinite() { return this.parameters.every(Number.isFinite); }
}

Engine.FIRST = 16384; // floats before the first array: the module's stack
Engine.RECTIFIERS = { relu: 0, "leaky-relu": 0.01 };

function plainEngine(spec) {
  const engine = new Engine(spec), memory = new ArrayBuffer(4 * engine.length);
  return engine.attach(memory, plainKernels(new Float32Array(memory), new Int32Array(memory)));
}
