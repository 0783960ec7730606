// jitnet.hpp: the kernels of jitnet a second time, in C++17 with nothing but the standard library.
//
// It infers and trains; checkpoint.hpp reads and writes the weight files of the Python package. The order is
// that of the folder kernels/, one page per operation, each function under its equation:
//
//   vectors, contract, convolution, pooling, activation, dense, loss, optimizer,
//   then the network (table of layers, forward, backward, a step), schedule, order of images, training.
//
// Layout      Images are NHWC, weights (3, 3, C, OC) and (D, K), all contiguous float. A convolution reads its input
//             from a buffer with a border of zeros, so that no loop asks where the edge is.
// Extents     H, W, C: height, width, channels of an input; OH, OW, OC: of an output; D inputs and K units of a dense
//             layer. An index is the same letter in lower case. `x` is an input, `out` an output.
// Writing     Outputs are overwritten, but for gradients of parameters: these are added to, times `scale`. With
//             scale = 1 that sums a batch; with scale = -lr and the parameters themselves as target it is the SGD step.
// Memory      No function of the network allocates: a Network is one object of fixed size, best made static.
// Sums        Their order is fixed by the source and the width of the processor's vectors, never by chance.
// Licence     MIT, as jitnet itself.

#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace jitnet {

// An error that a user can fix. The text is one sentence: what was given, what was expected, what to do.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The loss or a parameter is not finite any more.
struct Diverged : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// ------------------------------------------------------------------------------------------------------------ vectors
// As many floats as the processor computes at once. Most loops here are plain and left to the compiler, which makes
// vectors of them; the innermost sums are written with these, since gcc and clang each miss some forms of plain loop.

#if defined(__AVX512F__)
constexpr int LANES = 16, TILE_ROWS = 8;  // 32 registers
#elif defined(__AVX__)
constexpr int LANES = 8, TILE_ROWS = 6;  // 16 registers
#else
constexpr int LANES = 4, TILE_ROWS = 6;  // SSE2 has 16 registers, NEON 32
#endif

#if defined(__GNUC__) && !defined(JITNET_PLAIN)  // gcc and clang
using Lanes = float __attribute__((vector_size(4 * LANES)));
#else
struct Lanes {
  float lane[LANES];
  Lanes& operator+=(const Lanes& other) {
    for (int l = 0; l < LANES; l++) lane[l] += other.lane[l];
    return *this;
  }
};
inline Lanes operator*(Lanes x, const Lanes& y) {
  for (int l = 0; l < LANES; l++) x.lane[l] *= y.lane[l];
  return x;
}
inline Lanes operator*(float factor, Lanes x) {
  for (int l = 0; l < LANES; l++) x.lane[l] *= factor;
  return x;
}
#endif

inline Lanes load(const float* source) {
  Lanes x;
  std::memcpy(&x, source, sizeof x);
  return x;
}

inline void store(float* target, const Lanes& x) { std::memcpy(target, &x, sizeof x); }

// -------------------------------------------------------------------------------------------------------- contraction
// The one contraction that a convolution and both its gradients are made of, with a view for each operand:
//
//   out[i,j] = init[i,j] + scale * sum_{t < T, k < K} a[t,k,i] * b[t,k,j]

constexpr int SPARE = 4 * LANES;  // floats after each arena: loops read whole vectors but write existing elements only

// Element (t, k, i) is data[t * t_step + k * k_step + i * i_step].
struct View {
  const float* data;
  int t_step, k_step, i_step;
};

// Compute a tile of `Rows` by `Vectors` vectors: its sums stay in registers while t and k run, so that each vector of b
// that is loaded meets `Rows` numbers of a. Only `columns` columns exist.
template <int Rows, int Vectors>
inline void contract_tile(View a, View b, int T, int K, const float* init, int init_step, float scale, int columns,
                          float* out, int out_step) {
  Lanes sum[Rows][Vectors] = {};
  for (int t = 0; t < T; t++) {
    const float* a_now = a.data + t * a.t_step;
    const float* b_now = b.data + t * b.t_step;
    for (int k = 0; k < K; k++, a_now += a.k_step, b_now += b.k_step) {
      Lanes factors[Vectors];
      for (int v = 0; v < Vectors; v++) factors[v] = load(b_now + v * LANES);
      for (int i = 0; i < Rows; i++) {
        for (int v = 0; v < Vectors; v++) sum[i][v] += a_now[i * a.i_step] * factors[v];
      }
    }
  }
  for (int i = 0; i < Rows; i++) {
    float row[Vectors * LANES];
    for (int v = 0; v < Vectors; v++) store(row + v * LANES, sum[i][v]);
    for (int j = 0; j < columns; j++) out[i * out_step + j] = init[i * init_step + j] + scale * row[j];
  }
}

using Tile = void (*)(View, View, int, int, const float*, int, float, int, float*, int);

// A tile of each height up to TILE_ROWS.
template <int Vectors, int... Heights>
constexpr std::array<Tile, TILE_ROWS> tiles_of(std::integer_sequence<int, Heights...>) {
  return {contract_tile<Heights + 1, Vectors>...};
}

// Cut (I, J) into tiles: of rows of nearly equal height, so that 14 rows become 7 + 7. b's i_step is 1.
inline void contract(View a, View b, int T, int K, int I, int J, const float* init, int init_step, float scale,
                     float* out, int out_step) {
  constexpr auto heights = std::make_integer_sequence<int, TILE_ROWS>();
  static constexpr std::array<Tile, TILE_ROWS> one_vector = tiles_of<1>(heights), two_vectors = tiles_of<2>(heights);
  const int parts = (I + TILE_ROWS - 1) / TILE_ROWS;
  for (int j = 0; j < J; j += 2 * LANES) {
    const auto& tiles = J - j > LANES ? two_vectors : one_vector;
    for (int part = 0; part < parts; part++) {
      const int i = I * part / parts, rows = I * (part + 1) / parts - i;
      const View a_part = {a.data + i * a.i_step, a.t_step, a.k_step, a.i_step};
      const View b_part = {b.data + j, b.t_step, b.k_step, 1};
      tiles[static_cast<std::size_t>(rows - 1)](a_part, b_part, T, K, init + i * init_step + j, init_step, scale,
                                                std::min(2 * LANES, J - j), out + i * out_step + j, out_step);
    }
  }
}

// -------------------------------------------------------------------------------------------------------- convolution
// 3x3, stride 1, zero padding 1. In a padded image (H+2, W+2, C) the 3*C values under one row of the filter are
// adjacent, and those of the next output pixel begin C elements later.

// out[y+1,x+1,c] = x[y,x,c]; the border of out is zero already and stays so.
inline void pad(const float* x, int H, int W, int C, float* out) {
  for (int y = 0; y < H; y++) std::copy_n(x + y * W * C, W * C, out + ((y + 1) * (W + 2) + 1) * C);
}

// out[y,x,o] = bias[y,x,o] + sum_{i,j < 3, c} x[y+i, x+j, c] * weight[i,j,c,o]
//
// x is padded. The bias is (H, W, OC), one per position, or (1, 1, OC), one per channel: a step of 0 repeats it.
inline void conv2d_forward(const float* x, const float* weight, const float* bias, int BH, int BW, int H, int W, int C,
                           int OC, float* out) {
  for (int y = 0; y < H; y++) {
    const View window = {x + y * (W + 2) * C, (W + 2) * C, 1, C};
    const View filters = {weight, 3 * C * OC, OC, 1};
    contract(window, filters, 3, 3 * C, W, OC, bias + (BH > 1 ? y : 0) * BW * OC, BW > 1 ? OC : 0, 1.0f,
             out + y * W * OC, OC);
  }
}

// out[i,j,o,c] = weight[2-i, 2-j, c, o]: the filters turned round, their channels swapped.
inline void flip_weight(const float* weight, int C, int OC, float* __restrict out) {
  for (int k = 0; k < 9; k++) {
    for (int c = 0; c < C; c++) {
      for (int o = 0; o < OC; o++) out[(k * OC + o) * C + c] = weight[((8 - k) * C + c) * OC + o];
    }
  }
}

// grad_input[y,x,c] = sum_{i,j < 3, o} grad_output[y+i, x+j, o] * weight[2-i, 2-j, c, o]
//
// grad_output is padded, `flipped` comes from flip_weight, `zeros` is C zeros.
inline void conv2d_backward_input(const float* grad_output, const float* flipped, const float* zeros, int H, int W,
                                  int C, int OC, float* grad_input) {
  conv2d_forward(grad_output, flipped, zeros, 1, 1, H, W, OC, C, grad_input);
}

// grad_weight[i,j,c,o] += scale * sum_{y,x} x[y+i, x+j, c] * grad_output[y,x,o]
//
// x is padded, grad_output is not.
inline void conv2d_backward_weight(const float* x, const float* grad_output, int H, int W, int C, int OC, float scale,
                                   float* grad_weight) {
  for (int i = 0; i < 3; i++) {
    const View window = {x + i * (W + 2) * C, (W + 2) * C, C, 1};
    const View gradient = {grad_output, W * OC, OC, 1};
    float* row = grad_weight + i * 3 * C * OC;
    contract(window, gradient, H, W, 3 * C, OC, row, OC, scale, row, OC);
  }
}

// grad_bias[y,x,o] += scale * grad_output[y,x,o], summed over the positions that share a bias
inline void conv2d_backward_bias(const float* grad_output, int BH, int BW, int H, int W, int OC, float scale,
                              float* __restrict grad_bias) {
  for (int y = 0; y < H; y++) {
    for (int x = 0; x < W; x++) {
      float* __restrict target = grad_bias + ((BH > 1 ? y : 0) * BW + (BW > 1 ? x : 0)) * OC;
      const float* source = grad_output + (y * W + x) * OC;
      for (int o = 0; o < OC; o++) target[o] += scale * source[o];
    }
  }
}

// ------------------------------------------------------------------------------------------------------------ pooling
// Max-pool 3x3, stride 2, padded at the bottom and right: 28 -> 14 -> 7. A window that hangs over the edge looks at its
// first row or column twice: a number never wins against itself, so the padding never wins. A tie goes to the first.
// NaN wins against every number and stays, so that the loss shows it.

// out[oy,ox,c] = max_{i,j < 3} x[2*oy+i, 2*ox+j, c];  argmax[oy,ox,c] = where in x the winner lies
inline void max_pool2d_forward(const float* x, int H, int W, int C, float* out, std::int32_t* argmax) {
  const int OH = H / 2, OW = W / 2;
  for (int oy = 0; oy < OH; oy++) {
    for (int ox = 0; ox < OW; ox++) {
      const int rows[3] = {2 * oy, 2 * oy + 1, 2 * oy + 2 < H ? 2 * oy + 2 : 2 * oy};
      const int columns[3] = {2 * ox, 2 * ox + 1, 2 * ox + 2 < W ? 2 * ox + 2 : 2 * ox};
      int first[9];
      for (int k = 0; k < 9; k++) first[k] = (rows[k / 3] * W + columns[k % 3]) * C;
      float* __restrict best = out + (oy * OW + ox) * C;
      std::int32_t* __restrict place = argmax + (oy * OW + ox) * C;
      for (int c = 0; c < C; c++) {
        float top = x[first[0] + c];
        int where = first[0];
        for (int k = 1; k < 9; k++) {
          const float value = x[first[k] + c];
          const bool wins = (value > top) | (value != value);
          where = wins ? first[k] : where;
          top = wins ? value : top;
        }
        best[c] = top;
        place[c] = where + c;
      }
    }
  }
}

// grad_input[y,x,c] = sum of grad_output[oy,ox,c] over the windows that (y, x) won
inline void max_pool2d_backward(const float* grad_output, const std::int32_t* argmax, int H, int W, int C,
                                float* grad_input) {
  std::fill_n(grad_input, H * W * C, 0.0f);
  for (int i = 0; i < (H / 2) * (W / 2) * C; i++) grad_input[argmax[i]] += grad_output[i];
}

// --------------------------------------------------------------------------------------------------------- activation
// All of them rise, so the largest of a window is the same before and after: the pool comes first.

enum class Activation { linear, relu, sigmoid, tanh };

// x = f(x), in place:  relu max(0, x);  sigmoid 1 / (1 + exp(-x));  tanh. The exponentials are double, as in the loss.
inline void activation_forward(Activation kind, int n, float* x) {
  if (kind == Activation::relu) {
    for (int i = 0; i < n; i++) x[i] = x[i] < 0.0f ? 0.0f : x[i];  // NaN stays NaN
  } else if (kind == Activation::sigmoid) {
    for (int i = 0; i < n; i++) {
      const double z = x[i], power = std::exp(-std::abs(z));  // never overflows
      x[i] = static_cast<float>((z < 0 ? power : 1.0) / (1.0 + power));
    }
  } else if (kind == Activation::tanh) {
    for (int i = 0; i < n; i++) x[i] = static_cast<float>(std::tanh(static_cast<double>(x[i])));
  }
}

// grad = grad * f'(x), in place, with f' from out = f(x):  relu [out > 0];  sigmoid out (1 - out);  tanh 1 - out^2
inline void activation_backward(Activation kind, const float* out, int n, float* __restrict grad) {
  if (kind == Activation::relu) {
    for (int i = 0; i < n; i++) grad[i] = out[i] > 0.0f ? grad[i] : 0.0f;
  } else if (kind == Activation::sigmoid) {
    for (int i = 0; i < n; i++) grad[i] *= out[i] * (1.0f - out[i]);
  } else if (kind == Activation::tanh) {
    for (int i = 0; i < n; i++) grad[i] *= 1.0f - out[i] * out[i];
  }
}

// ------------------------------------------------------------------------------------------------------------- linear
// For one image. An input that is zero, as half of them are after ReLU, adds nothing: its row of weights is not read.

// List the inputs that are not zero, or all, and return how many. Without a branch: zeros follow no pattern to guess.
inline int active_inputs(const float* x, int D, bool all_inputs, std::int32_t* rows) {
  int count = 0;
  for (int d = 0; d < D; d++) {
    rows[count] = d;
    count += static_cast<int>(all_inputs) | static_cast<int>(x[d] != 0.0f);
  }
  return count;
}

// out[k] = bias[k] + sum_d x[d] * weight[d,k], over the `count` inputs listed in rows
//
// Up to 4 vectors of out at a time stay in registers while the rows pass.
inline void linear_forward(const float* x, const float* weight, const float* bias, int K, const std::int32_t* rows,
                           int count, float* out) {
  constexpr int V = 4;
  for (int k = 0; k < K; k += V * LANES) {
    Lanes sum[V] = {};
    for (int n = 0; n < count; n++) {
      const float* row = weight + rows[n] * K + k;
      for (int v = 0; v < V; v++) sum[v] += x[rows[n]] * load(row + v * LANES);
    }
    float total[V * LANES];
    for (int v = 0; v < V; v++) store(total + v * LANES, sum[v]);
    for (int j = 0; j < std::min(V * LANES, K - k); j++) out[k + j] = bias[k + j] + total[j];
  }
}

// For each listed row d, dots[d] = sum_k weight[d,k] * grad[k], and then target[d,k] += scale * x[d] * grad[k].
//
// One pass over the rows of weights. target may be weight itself.
inline void dots_then_add(const float* weight, const std::int32_t* rows, const float* x, int count, const float* grad,
                          int K, float scale, float* target, float* dots) {
  for (int n = 0; n < count; n++) {
    const float* row = weight + rows[n] * K;
    float* row_target = target + rows[n] * K;
    const float factor = scale * x[rows[n]];
    Lanes sum = {};
    int k = 0;
    for (; k + LANES <= K; k += LANES) {
      const Lanes g = load(grad + k);
      Lanes moved = load(row_target + k);
      sum += load(row + k) * g;
      moved += factor * g;
      store(row_target + k, moved);
    }
    float lane[LANES], total = 0.0f;
    store(lane, sum);
    float part[4] = {};
    for (int l = 0; l < LANES; l += 4) {
      for (int p = 0; p < 4; p++) part[p] += lane[l + p];
    }
    for (; k < K; k++) {
      total += row[k] * grad[k];
      row_target[k] += factor * grad[k];
    }
    dots[rows[n]] = (part[0] + part[1]) + (part[2] + part[3]) + total;
  }
}

// grad_input[d] = sum_k weight[d,k] * grad_output[k], and then
// grad_weight[d,k] += scale * x[d] * grad_output[k];  grad_bias[k] += scale * grad_output[k]
//
// In one pass over the inputs listed in rows; the others get a gradient of 0. grad_weight may be weight itself.
inline void linear_backward(const float* x, const float* weight, const float* grad_output, int D, int K,
                            const std::int32_t* rows, int count, float scale, float* grad_weight,
                            float* __restrict grad_bias, float* grad_input) {
  std::fill_n(grad_input, D, 0.0f);
  dots_then_add(weight, rows, x, count, grad_output, K, scale, grad_weight, grad_input);
  for (int k = 0; k < K; k++) grad_bias[k] += scale * grad_output[k];
}

// --------------------------------------------------------------------------------------------------------------- loss
// Of one image, in double: ten exponentials cost nothing, and the loss of a sure answer keeps its digits.

enum class Loss { cross_entropy, mse };

// log sum_k exp(logits[k]), the largest taken out first so that nothing overflows
inline double log_sum_exp(const float* logits, int K) {
  const double top = *std::max_element(logits, logits + K);
  double total = 0.0;
  for (int k = 0; k < K; k++) total += std::exp(logits[k] - top);
  return top + std::log(total);
}

// probabilities[k] = exp(logits[k]) / sum_i exp(logits[i])
inline void softmax(const float* logits, int K, float* probabilities) {
  const double norm = log_sum_exp(logits, K);
  for (int k = 0; k < K; k++) probabilities[k] = static_cast<float>(std::exp(logits[k] - norm));
}

// Return -log p[target] of p = softmax(logits);  grad_logits[k] = scale * (p[k] - [k == target])
inline double softmax_cross_entropy(const float* logits, int K, int target, double scale, float* grad_logits) {
  const double norm = log_sum_exp(logits, K);
  for (int k = 0; k < K; k++) {
    grad_logits[k] = static_cast<float>(scale * (std::exp(logits[k] - norm) - (k == target ? 1.0 : 0.0)));
  }
  return norm - static_cast<double>(logits[target]);
}

// Return the mean over k of e[k]^2, e[k] = p[k] - [k == target];
// grad_logits[j] = scale * p[j] * (2/K e[j] - sum_k 2/K e[k] * p[k]), through the softmax
inline double softmax_squared_error(const float* logits, int K, int target, double scale, float* grad_logits) {
  const double norm = log_sum_exp(logits, K);
  double loss = 0.0, along = 0.0;
  for (int k = 0; k < K; k++) {
    const double p = std::exp(logits[k] - norm), error = p - (k == target ? 1.0 : 0.0);
    loss += error * error / K;
    along += 2.0 / K * error * p;
  }
  for (int j = 0; j < K; j++) {
    const double p = std::exp(logits[j] - norm), error = p - (j == target ? 1.0 : 0.0);
    grad_logits[j] = static_cast<float>(scale * p * (2.0 / K * error - along));
  }
  return loss;
}

inline double output_loss(Loss kind, const float* logits, int K, int target, double scale, float* grad_logits) {
  return kind == Loss::mse ? softmax_squared_error(logits, K, target, scale, grad_logits)
                           : softmax_cross_entropy(logits, K, target, scale, grad_logits);
}

// ---------------------------------------------------------------------------------------------------------- optimizer
// With g the gradient, t = 1, 2, ... the number of the update:
//
//   sgd        w = w - lr * g
//   momentum   v = mu * v + g;  w = w - lr * v                                  (Polyak 1964)
//   nesterov   v = mu * v + g;  w = w - lr * (g + mu * v)                       (Sutskever et al. 2013)
//   adam       m = b1 * m + (1 - b1) * g;  v = b2 * v + (1 - b2) * g^2          (Kingma, Ba 2015)
//              w = w - lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
//   adamw      w = w * (1 - lr * decay), then adam                              (Loshchilov, Hutter 2019)
//
// Except in adamw, decay is a part of the gradient: g = g + decay * w.

enum class Optimizer { sgd, momentum, nesterov, adam, adamw };

struct Rule {
  Optimizer kind = Optimizer::sgd;
  bool summed = false;  // the gradient of a batch is the sum over its images, or else the mean
  double momentum = 0.9, decay = 0.0;
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;

  // How many numbers it remembers for each parameter.
  int moments() const { return kind == Optimizer::sgd ? 0 : kind < Optimizer::adam ? 1 : 2; }
};

inline void sgd_step(std::size_t n, const float* grad, float lr, float decay, float* __restrict param) {
  for (std::size_t i = 0; i < n; i++) param[i] -= lr * (grad[i] + decay * param[i]);
}

inline void momentum_step(const Rule& rule, std::size_t n, const float* grad, float lr, float* __restrict velocity,
                          float* __restrict param) {
  const float mu = static_cast<float>(rule.momentum), decay = static_cast<float>(rule.decay);
  const bool ahead = rule.kind == Optimizer::nesterov;
  for (std::size_t i = 0; i < n; i++) {
    const float g = grad[i] + decay * param[i];
    velocity[i] = mu * velocity[i] + g;
    param[i] -= lr * (ahead ? g + mu * velocity[i] : velocity[i]);
  }
}

inline void adam_step(const Rule& rule, std::size_t n, const float* grad, double lr, std::int64_t t,
                      float* __restrict mean, float* __restrict square, float* __restrict param) {
  const double steps = static_cast<double>(t);
  const float b1 = static_cast<float>(rule.beta1), b2 = static_cast<float>(rule.beta2);
  const float one_less_b1 = static_cast<float>(1.0 - rule.beta1), one_less_b2 = static_cast<float>(1.0 - rule.beta2);
  const float step = static_cast<float>(lr / (1.0 - std::pow(rule.beta1, steps)));
  const float root = static_cast<float>(std::sqrt(1.0 - std::pow(rule.beta2, steps)));
  const bool apart = rule.kind == Optimizer::adamw;
  const float decay = static_cast<float>(apart ? 0.0 : rule.decay), eps = static_cast<float>(rule.eps);
  const float shrink = static_cast<float>(apart ? 1.0 - lr * rule.decay : 1.0);
  for (std::size_t i = 0; i < n; i++) {
    const float g = grad[i] + decay * param[i];
    mean[i] = b1 * mean[i] + one_less_b1 * g;
    square[i] = b2 * square[i] + one_less_b2 * g * g;
    param[i] = shrink * param[i] - step * mean[i] / (std::sqrt(square[i]) / root + eps);
  }
}

// One step of any of them. `first` is the velocity or Adam's mean, `second` Adam's mean square.
inline void optimizer_step(const Rule& rule, std::size_t n, const float* grad, double lr, std::int64_t t, float* first,
                           float* second, float* param) {
  const float rate = static_cast<float>(lr);
  if (rule.kind == Optimizer::sgd) return sgd_step(n, grad, rate, static_cast<float>(rule.decay), param);
  if (rule.kind < Optimizer::adam) return momentum_step(rule, n, grad, rate, first, param);
  return adam_step(rule, n, grad, lr, t, first, second, param);
}

// Is every number finite? x - x is 0 unless it is not; a count, so that the compiler may use whole vectors.
inline bool all_finite(const float* values, std::size_t n) {
  int bad = 0;
  for (std::size_t i = 0; i < n; i++) bad += values[i] - values[i] != 0.0f ? 1 : 0;
  return bad == 0;
}

// ------------------------------------------------------------------------------------------------------------ network
// The network is a table, one record a layer; everything it computes is in arenas, as in kernels/table.py.

enum class Kind { conv, dense };

struct Layer {
  const char* name;  // "conv1"
  Kind kind;
  Activation activation;
  bool pool;    // followed by a 3x3/2 max-pool (conv)
  int H, W, C;  // of the input (dense: 1, 1, D)
  int OC;       // output channels (dense: K)
  int BH, BW;   // extents of the bias: (H, W, OC), or (1, 1, OC)

  constexpr int inputs() const { return H * W * C; }
  constexpr int map() const { return H * W * OC; }  // numbers before the pool
  constexpr int outputs() const { return pool ? (H / 2) * (W / 2) * OC : map(); }
  constexpr int padded(int channels) const { return (H + 2) * (W + 2) * channels; }
  constexpr int weights() const { return (kind == Kind::conv ? 9 : 1) * C * OC; }
  constexpr int biases() const { return BH * BW * OC; }
};

// Where a layer's numbers lie: offsets into params, into work, and into integers.
struct Place {
  int weight, bias;
  int x, padded_x, map, out;
  int grad_x, grad_map, padded_grad, grad_out;
  int flipped;
  int integers;  // argmax of a pool, or the active inputs of a dense layer
};

template <std::size_t L>
struct Plan {
  std::array<Place, L> places;
  int params, work, integers, zeros;
};

// Give every region its place. What a layer does not have, it shares: without a pool, map is out.
template <std::size_t L>
constexpr Plan<L> make_plan(const std::array<Layer, L>& layers) {
  Plan<L> plan{};
  const auto take = [](int& arena, int size) {
    const int offset = arena;
    arena += (size + 15) / 16 * 16;  // whole cache lines
    return offset;
  };
  int x = take(plan.work, layers[0].inputs()), grad_x = take(plan.work, layers[0].inputs()), channels = 0;
  for (std::size_t l = 0; l < L; l++) {
    const Layer& layer = layers[l];
    Place& place = plan.places[l];
    const bool conv = layer.kind == Kind::conv;
    place.weight = plan.params;
    place.bias = place.weight + layer.weights();
    plan.params = place.bias + layer.biases();
    place.x = x;
    place.grad_x = grad_x;
    place.out = x = take(plan.work, layer.outputs());
    place.grad_out = grad_x = take(plan.work, layer.outputs());
    place.map = layer.pool ? take(plan.work, layer.map()) : place.out;
    place.grad_map = layer.pool ? take(plan.work, layer.map()) : place.grad_out;
    place.padded_x = conv ? take(plan.work, layer.padded(layer.C)) : 0;
    place.padded_grad = conv ? take(plan.work, layer.padded(layer.OC)) : 0;
    place.flipped = conv ? take(plan.work, layer.weights()) : 0;
    place.integers = take(plan.integers, conv ? layer.outputs() : layer.inputs());
    channels = conv && layer.C > channels ? layer.C : channels;
  }
  plan.zeros = take(plan.work, channels);
  return plan;
}

// A network with its parameters. `layers` is a constexpr table, so that the object has a fixed size: no heap.
template <const auto& layers>
class Network {
 public:
  static constexpr auto plan = make_plan(layers);
  static constexpr std::size_t depth = layers.size();
  static constexpr std::size_t param_count = static_cast<std::size_t>(plan.params);
  static constexpr int inputs = layers[0].inputs();
  static constexpr int classes = layers[depth - 1].OC;
  using Arena = std::array<float, param_count + SPARE>;

  alignas(64) Arena params{};
  Arena first{}, second{};  // what the optimizer remembers

  // The network's scores for one image; they stay valid until the next call.
  const float* forward(const std::uint8_t* image) {
    float* x = at(plan.places[0].x);
    for (int i = 0; i < inputs; i++) x[i] = static_cast<float>(image[i]) / 255.0f;
    for (std::size_t l = 0; l < depth; l++) layer_forward(l);
    return output(depth - 1);
  }

  // Call visit(name, shape, offset in params) for each tensor: conv1.weight, conv1.bias, ...
  template <class Visit>
  static void for_each_tensor(Visit visit) {
    for (std::size_t l = 0; l < depth; l++) {
      const Layer& layer = layers[l];
      using Shape = std::vector<std::int64_t>;
      const bool conv = layer.kind == Kind::conv;
      const Shape weight = conv ? Shape{3, 3, layer.C, layer.OC} : Shape{layer.C, layer.OC};
      visit(layer.name + std::string(".weight"), weight, plan.places[l].weight);
      visit(layer.name + std::string(".bias"), conv ? Shape{layer.BH, layer.BW, layer.OC} : Shape{layer.OC},
            plan.places[l].bias);
    }
  }

  // What layer l has computed for the latest image.
  const float* output(std::size_t l) const { return work_.data() + plan.places[l].out; }

  // Add scale times the parameters' gradients of the latest image to `target`, laid out as params, or params itself.
  void backward(float scale, float* target) {
    for (std::size_t l = depth; l-- > 0;) layer_backward(l, scale, target);
  }

  // One update by the gradients of N images, the t-th of the training; returns the sum of their losses before it.
  double train_step(const std::uint8_t* images, const std::uint8_t* targets, const std::int64_t* order, int N,
                    Loss loss, const Rule& rule, double lr, std::int64_t t) {
    const bool in_place = N == 1 && rule.kind == Optimizer::sgd && rule.decay == 0.0;  // no gradient is ever stored
    if (!in_place) grads_.fill(0.0f);
    double total = 0.0;
    for (int n = 0; n < N; n++) {
      const float* logits = forward(images + order[n] * inputs);
      total += output_loss(loss, logits, classes, targets[order[n]], rule.summed ? 1.0 : 1.0 / N,
                           at(plan.places[depth - 1].grad_out));
      if (!std::isfinite(total)) throw Diverged("the loss is not finite at step " + std::to_string(t));
      backward(in_place ? -static_cast<float>(lr) : 1.0f, in_place ? params.data() : grads_.data());
    }
    if (!in_place) optimizer_step(rule, param_count, grads_.data(), lr, t, first.data(), second.data(), params.data());
    return total;
  }

 private:
  float* at(int offset) { return work_.data() + offset; }

  void layer_forward(std::size_t l) {
    const Layer& layer = layers[l];
    const Place& place = plan.places[l];
    const float *weight = params.data() + place.weight, *bias = params.data() + place.bias, *x = at(place.x);
    std::int32_t* integers = integers_.data() + place.integers;
    if (layer.kind == Kind::dense) {
      counts_[l] = active_inputs(x, layer.C, all_inputs(l), integers);
      linear_forward(x, weight, bias, layer.OC, integers, counts_[l], at(place.out));
    } else {
      pad(x, layer.H, layer.W, layer.C, at(place.padded_x));
      conv2d_forward(at(place.padded_x), weight, bias, layer.BH, layer.BW, layer.H, layer.W, layer.C, layer.OC,
                     at(place.map));
      if (layer.pool) max_pool2d_forward(at(place.map), layer.H, layer.W, layer.OC, at(place.out), integers);
    }
    activation_forward(layer.activation, layer.outputs(), at(place.out));
  }

  // The gradient of a layer's input is computed before its parameters change.
  void layer_backward(std::size_t l, float scale, float* target) {
    const Layer& layer = layers[l];
    const Place& place = plan.places[l];
    const int H = layer.H, W = layer.W, C = layer.C, OC = layer.OC;
    const float *weight = params.data() + place.weight, *x = at(place.x);
    const std::int32_t* integers = integers_.data() + place.integers;
    float *grad_weight = target + place.weight, *grad_bias = target + place.bias, *gradient = at(place.grad_map);
    activation_backward(layer.activation, at(place.out), layer.outputs(), at(place.grad_out));
    if (layer.kind == Kind::dense) {
      linear_backward(x, weight, gradient, C, OC, integers, counts_[l], scale, grad_weight, grad_bias,
                      at(place.grad_x));
      return;
    }
    if (layer.pool) max_pool2d_backward(at(place.grad_out), integers, H, W, OC, gradient);
    if (l > 0) {
      pad(gradient, H, W, OC, at(place.padded_grad));
      flip_weight(weight, C, OC, at(place.flipped));
      conv2d_backward_input(at(place.padded_grad), at(place.flipped), at(plan.zeros), H, W, C, OC, at(place.grad_x));
    }
    conv2d_backward_weight(at(place.padded_x), gradient, H, W, C, OC, scale, grad_weight);
    conv2d_backward_bias(gradient, layer.BH, layer.BW, H, W, OC, scale, grad_bias);
  }

  // Does the gradient of dense layer l's inputs matter where they are 0? Not after ReLU, which stops it, and not at an
  // image, whose gradient is not needed.
  static constexpr bool all_inputs(std::size_t l) { return l > 0 && layers[l - 1].activation != Activation::relu; }

  alignas(64) Arena grads_{};
  alignas(64) std::array<float, static_cast<std::size_t>(plan.work) + SPARE> work_{};
  std::array<std::int32_t, static_cast<std::size_t>(plan.integers)> integers_{};
  std::array<int, depth> counts_{};  // active inputs of each dense layer
};

// ------------------------------------------------------------------------------------------ schedule, order, training

enum class Schedule {
  documents, documents_old, cosine, cosine_per_step, one_cycle, one_cycle_per_step, step, constant
};
enum class Init { documents, lecun, he, normal };

// What a training is a function of, with its data; model.hpp holds those of the run that was exported.
struct Settings {
  int epochs = 9;           // that the learning rate is planned over
  int steps_per_epoch = 0;  // updates after which an epoch ends early; 0 = when all images are seen
  int batch_size = 1;       // 0 = all images
  double lr = 1e-3;         // the schedule's peak
  Schedule schedule = Schedule::documents;
  int warm_up = 0;          // steps over which the rate rises from 0 to the schedule's
  Loss loss = Loss::cross_entropy;
  Rule rule;
  Init init = Init::documents;
  bool shuffle = false;
  std::uint64_t seed = 0;
  int val = 0;    // the last `val` training images are held out
  int limit = 0;  // train on the first `limit` images only; 0 = all
};

constexpr double pi = 3.14159265358979323846;

// The rate on half a cosine up from a 25th of the peak; the angle goes from 0 to pi.
inline double rise(double peak, double angle) { return peak / 25 + (peak - peak / 25) * (1 - std::cos(angle)) / 2; }

// The rate on half a cosine down from the peak to a hundredth of it; the angle goes from 0 to pi.
inline double fall(double peak, double angle) {
  const double low = peak / 100;
  return low + (peak - low) * (1 + std::cos(angle)) / 2;
}

// One cycle: up from a 25th of the peak over three tenths of all steps, then down to a hundredth, half a cosine each.
inline double one_cycle(double peak, double share) {
  constexpr double top = 0.3;
  share = std::min(1.0, share);
  return share < top ? rise(peak, pi * share / top) : fall(peak, pi * (share - top) / (1 - top));
}

// Half a cosine over all steps, from the peak to a hundredth of it.
inline double cosine(double peak, double share) { return fall(peak, pi * std::min(1.0, share)); }

// Whether the rate changes at each step, not at each epoch.
inline bool is_per_step(const Settings& settings) {
  return settings.schedule == Schedule::one_cycle_per_step || settings.schedule == Schedule::cosine_per_step;
}

// The rate of a schedule per step after a share of all steps.
inline double rate_at(const Settings& settings, double share) {
  return settings.schedule == Schedule::cosine_per_step ? cosine(settings.lr, share) : one_cycle(settings.lr, share);
}

// The learning rate of an epoch (from 0), of a schedule per step that of its middle; beyond the plan the last one
// stays.
//
// documents: a linear warm-up over a third of the epochs from a hundredth of the peak, then a quarter of a cosine back
// to it; for fewer than nine epochs that of two more, without its first and last. documents-old: with them. cosine:
// half a cosine. one-cycle: as above, an epoch at a time. step: a tenth of the rate after each third of the epochs.
inline double learning_rate(const Settings& settings, std::int64_t epoch) {
  if (is_per_step(settings)) return rate_at(settings, (static_cast<double>(epoch) + 0.5) / settings.epochs);
  int epochs = settings.epochs, e = static_cast<int>(std::min<std::int64_t>(epoch, epochs - 1));
  const double peak = settings.lr, low = peak / 100;
  switch (settings.schedule) {
    case Schedule::constant:
      return peak;
    case Schedule::cosine:
      return fall(peak, pi * e / std::max(1, epochs - 1));
    case Schedule::step:
      return peak / std::pow(10.0, static_cast<double>(std::int64_t{3} * e / epochs));
    case Schedule::one_cycle: {
      const int top = static_cast<int>(std::nearbyint(0.3 * (epochs - 1)));  // the epoch of the peak
      return e < top ? rise(peak, pi * e / top) : fall(peak, pi * (e - top) / std::max(1, epochs - 1 - top));
    }
    case Schedule::documents:
      if (epochs < 9) e++, epochs += 2;
      break;
    default:
      break;
  }
  const int warm_up = epochs / 3;
  if (e < warm_up) return low + (peak - low) * e / warm_up;
  return low + (peak - low) * std::max(0.0, std::cos(pi / 2 * (e - warm_up) / std::max(1, epochs - warm_up - 1)));
}

// The share of its rate that a step has, after which `taken` steps are done.
inline double warm_up(const Settings& settings, double taken) {
  return settings.warm_up > 0 ? std::min(1.0, taken / settings.warm_up) : 1.0;
}

// The learning rate of a step of an epoch, both from 0, the warm-up included.
inline double learning_rate(const Settings& settings, std::int64_t epoch, std::int64_t step, std::int64_t steps) {
  const double begin = static_cast<double>(epoch * steps + step), total = static_cast<double>(settings.epochs * steps);
  const double rate = is_per_step(settings) ? rate_at(settings, (begin + 0.5) / total) : learning_rate(settings, epoch);
  return rate * warm_up(settings, begin + 1);
}

// What the generator splitmix64 puts out in a state (Steele, Lea, Flood 2014): a good hash of it.
inline std::uint64_t splitmix64(std::uint64_t state) {
  std::uint64_t z = state + 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

// The order in which an epoch sees its images: the file's, or the stable sort of 0..images-1 by
// splitmix64(splitmix64(splitmix64(seed) + epoch) + i). A function of seed and epoch alone, so a resume finds it again.
inline std::vector<std::int64_t> visiting_order(std::int64_t images, const Settings& settings, std::int64_t epoch) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(images));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  if (settings.shuffle) {
    const std::uint64_t key = splitmix64(splitmix64(settings.seed) + static_cast<std::uint64_t>(epoch));
    const auto rank = [key](std::int64_t i) { return splitmix64(key + static_cast<std::uint64_t>(i)); };
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t i, std::int64_t j) { return rank(i) < rank(j); });
  }
  return order;
}

// Draw weights from the normal distribution and set biases to 0. documents: N(0,1)/9 for a conv, N(0,1)/fan_in for a
// dense layer; lecun: variance 1/fan_in; he: 2/fan_in; normal: N(0,1)/100. Not numpy's numbers: `export cpp --initial`
// writes those.
template <const auto& layers>
void initialise(Network<layers>& network, Init scheme, std::uint64_t seed) {
  network.params.fill(0.0f);
  std::uint64_t count = 0;
  const auto uniform = [&] {  // in (0, 1]
    return static_cast<double>((splitmix64(splitmix64(seed) + count++) >> 11) + 1) * 0x1p-53;
  };
  for (std::size_t l = 0; l < layers.size(); l++) {
    const Layer& layer = layers[l];
    const double fan_in = layer.weights() / layer.OC;
    const double deviation = scheme == Init::lecun    ? std::sqrt(1.0 / fan_in)
                             : scheme == Init::he     ? std::sqrt(2.0 / fan_in)
                             : scheme == Init::normal ? 0.01
                             : layer.kind == Kind::conv ? 1.0 / 9.0
                                                        : 1.0 / fan_in;
    float* weight = network.params.data() + network.plan.places[l].weight;
    for (int i = 0; i < layer.weights(); i++) {  // Box, Muller (1958)
      const double radius = std::sqrt(-2.0 * std::log(uniform()));
      weight[i] = static_cast<float>(deviation * radius * std::cos(2 * 3.14159265358979323846 * uniform()));
    }
  }
}

// Images (n, H, W, C) and their labels (n,).
struct Dataset {
  std::vector<std::uint8_t> images, targets;
  std::int64_t size() const { return static_cast<std::int64_t>(targets.size()); }
};

// The progress of a run, as in a checkpoint.
struct Position {
  std::int64_t epoch = 0, step_in_epoch = 0, step = 0;
  double loss_sum = 0.0;  // of the epoch's images so far, in order
};

// Train what is left of an epoch and return its average loss; `report(loss)` is called after each step.
template <const auto& layers, class Report>
double train_epoch(Network<layers>& network, const Dataset& data, const Settings& settings, Position& position,
                   Report report) {
  const std::int64_t limit = settings.limit > 0 ? std::min<std::int64_t>(settings.limit, data.size()) : data.size();
  const std::int64_t images = limit - settings.val;
  if (images < 1) throw Error("no image is left to train on: give a smaller --val or a larger --limit");
  const std::int64_t batch = settings.batch_size > 0 ? std::min<std::int64_t>(settings.batch_size, images) : images;
  const std::int64_t all = (images + batch - 1) / batch;
  const std::int64_t steps = settings.steps_per_epoch > 0 ? std::min<std::int64_t>(settings.steps_per_epoch, all) : all;
  const std::vector<std::int64_t> order = visiting_order(images, settings, position.epoch);
  for (; position.step_in_epoch < steps; position.step_in_epoch++) {
    const std::int64_t start = position.step_in_epoch * batch;
    const int N = static_cast<int>(std::min(batch, images - start));
    const double lr = learning_rate(settings, position.epoch, position.step_in_epoch, steps);
    const double total = network.train_step(data.images.data(), data.targets.data(), order.data() + start, N,
                                            settings.loss, settings.rule, lr, ++position.step);
    position.loss_sum += total;
    report(total / N);
  }
  if (!all_finite(network.params.data(), network.param_count)) throw Diverged("a parameter is not finite any more");
  const double average = position.loss_sum / static_cast<double>(std::min(images, steps * batch));
  position = {position.epoch + 1, 0, position.step, 0.0};
  return average;
}

struct Score {
  double loss, accuracy;  // mean; percent
};

// Measure the network on a data set; `report(logits)` is called for each image.
template <const auto& layers, class Report>
Score evaluate(Network<layers>& network, const Dataset& data, Loss kind, Report report) {
  constexpr int K = Network<layers>::classes;
  std::array<float, K> gradient;  // not asked for
  double loss = 0.0;
  std::int64_t right = 0;
  for (std::int64_t n = 0; n < data.size(); n++) {
    const float* logits = network.forward(data.images.data() + n * network.inputs);
    const int target = data.targets[static_cast<std::size_t>(n)];
    loss += output_loss(kind, logits, K, target, 0.0, gradient.data());
    right += std::max_element(logits, logits + K) - logits == target ? 1 : 0;
    report(logits);
  }
  const double count = static_cast<double>(data.size());
  return {loss / count, 100.0 * static_cast<double>(right) / count};
}

}  // namespace jitnet
