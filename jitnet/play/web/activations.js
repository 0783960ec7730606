// The activations that need exponentials, as kernels/layers/activation.py has them: computed in 64 bits.
"use strict";

const Activations = (() => {
  // erf to about 1 in 1e15: its series near 0, the continued fraction of erfc beyond (Abramowitz, Stegun 7.1.6, 7.1.14).
  function erf(x) {
    const t = Math.abs(x);
    if (t > 6) return Math.sign(x);
    if (t < 2.5) {
      let term = t, sum = t;
      for (let n = 1; term > 1e-17 * sum; n++) {
        term *= (2 * t * t) / (2 * n + 1);
        sum += term;
      }
      return (Math.sign(x) * 2 * sum * Math.exp(-t * t)) / Math.sqrt(Math.PI);
    }
    let fraction = 0;
    for (let n = 60; n > 0; n--) fraction = n / 2 / (t + fraction);
    return Math.sign(x) * (1 - Math.exp(-t * t) / (Math.sqrt(Math.PI) * (t + fraction)));
  }

  const normal = z => 0.5 * (1 + erf(z / Math.SQRT2));
  const sigmoid = z => {
    const power = Math.exp(-Math.abs(z));
    return (z < 0 ? power : 1) / (1 + power);
  };
  const value = {
    linear: z => z,
    relu: z => (z > 0 || z !== z ? z : 0),
    "leaky-relu": z => (z > 0 ? z : 0.01 * z),
    sigmoid,
    tanh: Math.tanh,
    gelu: z => z * normal(z),
  };
  const slope = {
    linear: () => 1,
    relu: z => (z > 0 ? 1 : 0),
    "leaky-relu": z => (z > 0 ? 1 : 0.01),
    sigmoid: z => sigmoid(z) * (1 - sigmoid(z)),
    tanh: z => 1 - Math.tanh(z) ** 2,
    gelu: z => normal(z) + (z * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI),
  };
  const formula = {
    linear: "z", relu: "max(0, z)", "leaky-relu": "z, or z/100 below 0", sigmoid: "1 / (1 + exp(-z))", tanh: "tanh(z)",
    gelu: "z · P(z)",
  };
  return { erf, value, slope, formula };
})();
