// kernels.js again in C, for WebAssembly with 128-bit vectors. The same functions, the same order of arguments.
//
// Compiled to kernels.wasm by `python -m jitnet.play.build_module`; it needs clang and wasm-ld, a run of jitnet does not.
// Freestanding: no library, no allocation, no data. Places are addresses in the module's memory.

typedef float vec __attribute__((vector_size(16), aligned(4)));
typedef int ivec __attribute__((vector_size(16), aligned(4)));

#define EXPORT(name) __attribute__((export_name(#name)))
#define INLINE static inline __attribute__((always_inline))

INLINE vec load(const float* at) { return *(const vec*)at; }
INLINE void store(float* at, vec x) { *(vec*)at = x; }
INLINE vec splat(float x) { return (vec){x, x, x, x}; }
INLINE int least(int a, int b) { return a < b ? a : b; }

INLINE void copy(float* to, const float* from, int n) { __builtin_memcpy(to, from, 4 * (unsigned)n); }

EXPORT(pad) void pad(const float* x, int H, int W, int C, float* out) {
  for (int y = 0; y < H; y++) copy(out + ((y + 1) * (W + 2) + 1) * C, x + y * W * C, W * C);
}

EXPORT(unpad) void unpad(const float* padded, int H, int W, int C, float* out) {
  for (int y = 0; y < H; y++) copy(out + y * W * C, padded + ((y + 1) * (W + 2) + 1) * C, W * C);
}

// `pixels` neighbours in a row and `vectors` times four filters: their sums stay in registers.
INLINE void conv_tile(const int pixels, const int vectors, const float* x, const float* w, const float* bias, float* z,
                      int line, int C, int K, int bias_step) {
  vec sum[8][2];
  for (int p = 0; p < pixels; p++) {
    for (int v = 0; v < vectors; v++) sum[p][v] = load(bias + p * bias_step + 4 * v);
  }
  for (int i = 0; i < 3; i++) {
    const float* from = x + i * line;
    for (int k = 0; k < 3 * C; k++, from++, w += K) {
      vec weight[2];
      for (int v = 0; v < vectors; v++) weight[v] = load(w + 4 * v);
      for (int p = 0; p < pixels; p++) {
        const vec value = splat(from[p * C]);
        for (int v = 0; v < vectors; v++) sum[p][v] += value * weight[v];
      }
    }
  }
  for (int p = 0; p < pixels; p++) {
    for (int v = 0; v < vectors; v++) store(z + p * K + 4 * v, sum[p][v]);
  }
}

// The filters that fill no vector.
INLINE void conv_rest(const float* x, const float* w, const float* bias, float* z, int line, int C, int K, int k) {
  for (; k < K; k++) {
    float sum = bias[k];
    for (int i = 0; i < 3; i++) {
      for (int c = 0; c < 3 * C; c++) sum += x[i * line + c] * w[(i * 3 * C + c) * K + k];
    }
    z[k] = sum;
  }
}

EXPORT(convForward)
void conv_forward(const float* x, const float* w, const float* bias, float* z, int H, int W, int C, int K,
                  int per_position) {
  const int line = (W + 2) * C, step = per_position ? K : 0;
  for (int y = 0; y < H; y++) {
    for (int p = 0; p < W;) {
      const int left = W - p, pixels = left >= 6 && left != 7 ? 6 : left >= 4 ? 4 : left;
      const float* at = x + y * line + p * C;
      const float* b = bias + (y * W + p) * step;
      float* out = z + (y * W + p) * K;
      int k = 0;
#define TILES(P)                                                                              \
  for (; k + 8 <= K; k += 8) conv_tile(P, 2, at, w + k, b + k, out + k, line, C, K, step); \
  for (; k + 4 <= K; k += 4) conv_tile(P, 1, at, w + k, b + k, out + k, line, C, K, step);
      switch (pixels) {
        case 6: TILES(6) break;
        case 4: TILES(4) break;
        case 3: TILES(3) break;
        case 2: TILES(2) break;
        default: TILES(1)
      }
      if (k < K) {
        for (int q = 0; q < pixels; q++) conv_rest(at + q * C, w, b + q * step, out + q * K, line, C, K, k);
      }
      p += pixels;
    }
  }
}

// target += factor * x
INLINE void add_scaled(float* target, const float* x, float factor, int n) {
  const vec many = splat(factor);
  int i = 0;
  for (; i + 4 <= n; i += 4) store(target + i, load(target + i) + many * load(x + i));
  for (; i < n; i++) target[i] += factor * x[i];
}

EXPORT(convBackward)
void conv_backward(const float* x, const float* wt, const float* gz, float* gwt, float* gbias, float* gx, int H, int W,
                   int C, int K, int per_position) {
  const int line = (W + 2) * C, row = 3 * C;
  for (int y = 0; y < H; y++) {
    for (int p = 0; p < W; p++) {
      const float* g = gz + (y * W + p) * K;
      float* target = gbias + (per_position ? (y * W + p) * K : 0);
      const int at = y * line + p * C;
      for (int k = 0; k < K; k++) {
        if (g[k] == 0.0f) continue;
        target[k] += g[k];
        for (int i = 0; i < 3; i++) {
          add_scaled(gwt + (k * 3 + i) * row, x + at + i * line, g[k], row);
          if (gx) add_scaled(gx + at + i * line, wt + (k * 3 + i) * row, g[k], row);
        }
      }
    }
  }
}

EXPORT(maxPool) void max_pool(const float* x, float* out, int* winner, int H, int W, int C) {
  const int OH = H / 2, OW = W / 2;
  for (int p = 0; p < OH; p++) {
    for (int q = 0; q < OW; q++) {
      const int rows = least(3, H - 2 * p), columns = least(3, W - 2 * q), first = (2 * p * W + 2 * q) * C;
      float* best = out + (p * OW + q) * C;
      int* place = winner + (p * OW + q) * C;
      int c = 0;
      for (; c + 4 <= C; c += 4) {
        vec top = load(x + first + c);
        ivec where = {first + c, first + c + 1, first + c + 2, first + c + 3};
        for (int i = 0; i < rows; i++) {
          for (int j = 0; j < columns; j++) {
            const int at = first + (i * W + j) * C + c;
            const vec value = load(x + at);
            const ivec wins = (value > top) | (value != value), here = {at, at + 1, at + 2, at + 3};
            top = (vec)((wins & (ivec)value) | (~wins & (ivec)top));
            where = (wins & here) | (~wins & where);
          }
        }
        store(best + c, top);
        *(ivec*)(place + c) = where;
      }
      for (; c < C; c++) {
        float top = x[first + c];
        int where = first + c;
        for (int i = 0; i < rows; i++) {
          for (int j = 0; j < columns; j++) {
            const int at = first + (i * W + j) * C + c;
            if (x[at] > top || x[at] != x[at]) {
              top = x[at];
              where = at;
            }
          }
        }
        best[c] = top;
        place[c] = where;
      }
    }
  }
}

EXPORT(maxPoolBackward) void max_pool_backward(const float* g, const int* winner, float* gx, int n) {
  for (int i = 0; i < n; i++) gx[winner[i]] += g[i];
}

// Eight vectors of out at a time stay in registers while the rows pass.
INLINE void dense_tile(const int vectors, const float* x, const float* w, const float* bias, float* out, int D, int K) {
  vec sum[8];
  for (int v = 0; v < vectors; v++) sum[v] = load(bias + 4 * v);
  for (int d = 0; d < D; d++, w += K) {
    if (x[d] == 0.0f) continue;
    const vec value = splat(x[d]);
    for (int v = 0; v < vectors; v++) sum[v] += value * load(w + 4 * v);
  }
  for (int v = 0; v < vectors; v++) store(out + 4 * v, sum[v]);
}

EXPORT(denseForward)
void dense_forward(const float* x, const float* w, const float* bias, float* out, int D, int K) {
  int k = 0;
  for (; k + 32 <= K; k += 32) dense_tile(8, x, w + k, bias + k, out + k, D, K);
  for (; k + 8 <= K; k += 8) dense_tile(2, x, w + k, bias + k, out + k, D, K);
  for (; k + 4 <= K; k += 4) dense_tile(1, x, w + k, bias + k, out + k, D, K);
  for (; k < K; k++) {
    float sum = bias[k];
    for (int d = 0; d < D; d++) sum += x[d] * w[d * K + k];
    out[k] = sum;
  }
}

INLINE float dot(const float* a, const float* b, int n) {
  vec sum = splat(0.0f), other = splat(0.0f);
  int i = 0;
  for (; i + 8 <= n; i += 8) {
    sum += load(a + i) * load(b + i);
    other += load(a + i + 4) * load(b + i + 4);
  }
  for (; i + 4 <= n; i += 4) sum += load(a + i) * load(b + i);
  sum += other;
  float total = (sum[0] + sum[1]) + (sum[2] + sum[3]);
  for (; i < n; i++) total += a[i] * b[i];
  return total;
}

EXPORT(denseBackward)
void dense_backward(const float* x, const float* w, const float* gz, float* gw, float* gbias, float* gx, int D, int K,
                    int skip) {
  for (int k = 0; k < K; k++) gbias[k] += gz[k];
  for (int d = 0; d < D; d++) {
    const int zero = x[d] == 0.0f;
    if (zero && (skip || !gx)) {
      if (gx) gx[d] = 0.0f;
      continue;
    }
    if (!zero) add_scaled(gw + d * K, gz, x[d], K);
    if (gx) gx[d] = dot(w + d * K, gz, K);
  }
}

EXPORT(rectify) void rectify(const float* z, float* out, int n, float slope) {
  for (int i = 0; i < n; i++) out[i] = z[i] > 0.0f || z[i] != z[i] ? z[i] : slope == 0.0f ? 0.0f : slope * z[i];
}

EXPORT(rectifyBackward) void rectify_backward(const float* z, const float* g, float* gz, int n, float slope) {
  for (int i = 0; i < n; i++) gz[i] = z[i] > 0.0f ? g[i] : slope * g[i];
}

EXPORT(descend) void descend(float* w, float* g, int n, float rate) {
  int i = 0;
  for (; i + 4 <= n; i += 4) {
    store(w + i, load(w + i) - splat(rate) * load(g + i));
    store(g + i, splat(0.0f));
  }
  for (; i < n; i++) {
    w[i] -= rate * g[i];
    g[i] = 0.0f;
  }
}

EXPORT(descendTransposed) void descend_transposed(float* w, float* wt, float* g, int n, int K, float rate) {
  for (int k = 0; k < K; k++) {
    for (int i = 0; i < n; i++) {
      wt[k * n + i] = w[i * K + k] -= rate * g[k * n + i];
      g[k * n + i] = 0.0f;
    }
  }
}
