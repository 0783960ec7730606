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
#define MOST_FILTERS 512  // whose terms are counted at a time

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

// A gradient that is not 0, and the place of its window: what the gradients of a layer are summed over.
typedef struct {
  float g;
  int at;
} Term;

INLINE int any(vec x) { return __builtin_wasm_any_true_v128((ivec)x & 0x7fffffff); }

// target[0..n) += sum over terms of g * source[at..], eight vectors at a time in registers. Reads whole vectors.
INLINE void sum_block(const int vectors, float* target, const float* source, const Term* terms, int count, int n) {
  vec sum[8];
  for (int v = 0; v < vectors; v++) sum[v] = splat(0.0f);
  for (int t = 0; t < count; t++) {
    const vec g = splat(terms[t].g);
    const float* from = source + terms[t].at;
    for (int v = 0; v < vectors; v++) sum[v] += g * load(from + 4 * v);
  }
  if (n >= 4 * vectors) {
    for (int v = 0; v < vectors; v++) store(target + 4 * v, load(target + 4 * v) + sum[v]);
  } else {
    for (int j = 0; j < n; j++) target[j] += sum[0][j];
  }
}

INLINE void sum_row(float* target, const float* source, const Term* terms, int count, int n) {
  int i = 0;
  for (; i + 32 <= n; i += 32) sum_block(8, target + i, source + i, terms, count, 32);
  for (; i + 16 <= n; i += 16) sum_block(4, target + i, source + i, terms, count, 16);
  for (; i < n; i += 4) sum_block(1, target + i, source + i, terms, count, n - i);
}

// `terms` has room for H*W*K terms, and K more.
EXPORT(convBackward)
void conv_backward(const float* x, const float* wt, const float* gz, float* gwt, float* gbias, float* gx, int H, int W,
                   int C, int K, int per_position, Term* terms) {
  const int line = (W + 2) * C, row = 3 * C, most = H * W;
  Term* here = terms + most * K;  // of one pixel: its filters
  int counts[MOST_FILTERS];
  for (int first = 0; first < K; first += MOST_FILTERS) {
    const int filters = least(MOST_FILTERS, K - first);
    for (int k = 0; k < filters; k++) counts[k] = 0;
    for (int y = 0; y < H; y++) {
      for (int p = 0; p < W; p++) {
        const float* g = gz + (y * W + p) * K + first;
        float* target = gbias + (per_position ? (y * W + p) * K : 0) + first;
        const int at = y * line + p * C;
        int found = 0;
        for (int k = 0; k < filters; k += 4) {
          if (!any(load(g + k))) continue;  // the vector may reach into what follows: those are not used
          for (int j = k; j < least(k + 4, filters); j++) {
            if (g[j] == 0.0f) continue;
            target[j] += g[j];
            terms[(first + j) * most + counts[j]++] = (Term){g[j], at};
            here[found++] = (Term){g[j], (first + j) * 3 * row};
          }
        }
        if (!gx || !found) continue;
        for (int i = 0; i < 3; i++) sum_row(gx + at + i * line, wt + i * row, here, found, row);
      }
    }
    for (int k = 0; k < filters; k++) {
      for (int i = 0; i < 3; i++) {
        sum_row(gwt + ((first + k) * 3 + i) * row, x + i * line, terms + (first + k) * most, counts[k], row);
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

// The inputs that are not 0, as terms: half of them after a ReLU. Without a branch: zeros follow no pattern to guess.
INLINE int active(const float* x, int D, int K, Term* terms) {
  int count = 0;
  for (int d = 0; d < D; d++) {
    terms[count] = (Term){x[d], d * K};
    count += x[d] != 0.0f;
  }
  return count;
}

// `terms` has room for D + 1 terms.
EXPORT(denseForward)
void dense_forward(const float* x, const float* w, const float* bias, float* out, int D, int K, Term* terms) {
  const int count = active(x, D, K, terms);
  copy(out, bias, K);
  sum_row(out, w, terms, count, K);
}

// gw += x * g, and return sum w * g
INLINE float add_and_dot(float* gw, const float* w, const float* g, float x, int n) {
  const vec many = splat(x);
  vec sum = splat(0.0f), other = splat(0.0f);
  int i = 0;
  for (; i + 8 <= n; i += 8) {
    const vec a = load(g + i), b = load(g + i + 4);
    store(gw + i, load(gw + i) + many * a);
    store(gw + i + 4, load(gw + i + 4) + many * b);
    sum += load(w + i) * a;
    other += load(w + i + 4) * b;
  }
  for (; i + 4 <= n; i += 4) {
    const vec a = load(g + i);
    store(gw + i, load(gw + i) + many * a);
    sum += load(w + i) * a;
  }
  sum += other;
  float total = (sum[0] + sum[1]) + (sum[2] + sum[3]);
  for (; i < n; i++) {
    gw[i] += x * g[i];
    total += w[i] * g[i];
  }
  return total;
}

EXPORT(denseBackward)
void dense_backward(const float* x, const float* w, const float* gz, float* gw, float* gbias, float* gx, int D, int K,
                    int skip) {
  for (int k = 0; k < K; k++) gbias[k] += gz[k];
  for (int d = 0; d < D; d++) {
    if (gx) gx[d] = 0.0f;
    if (x[d] == 0.0f && (skip || !gx)) continue;
    const float along = add_and_dot(gw + d * K, w + d * K, gz, x[d], K);
    if (gx) gx[d] = along;
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
