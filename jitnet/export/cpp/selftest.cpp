// selftest.cpp: does this compiler's network compute what Python's did? Run it from its own folder:
//
//   c++ -std=c++17 -O3 selftest.cpp -o selftest && ./selftest
//
// golden.bin holds 32 images with what jitnet computed for them: logits, a checksum of each layer's output (the sum and
// the sum of squares), and the losses of a training step on each image in turn.

#include <cstdio>

#include "model.hpp"

namespace {

constexpr double TOLERANCE = 1e-4;

int failures = 0;

void check(double figure, const char* what) {
  const bool holds = figure <= TOLERANCE;  // false if it is NaN
  std::printf("%-4s %-58s %.2e of %.0e\n", holds ? "ok" : "FAIL", what, figure, TOLERANCE);
  failures += holds ? 0 : 1;
}

// The largest difference, as a part of the wanted number where that is above 1.
double distance(double got, double wanted) { return std::abs(got - wanted) / std::max(1.0, std::abs(wanted)); }

// Is `wanted` the largest of the scores, or as good as that?
bool is_class(const float* scores, std::size_t wanted) {
  const float top = *std::max_element(scores, scores + model::classes);
  return distance(scores[wanted], top) <= TOLERANCE;
}

void run() {
  constexpr std::size_t K = model::classes, L = model::layers.size(), N = model::golden_images;
  constexpr auto inputs = static_cast<std::size_t>(model::Network::inputs);
  model::Network& network = model::network;
  model::load("model.safetensors");
  const jitnet::Checkpoint golden = jitnet::load_checkpoint("golden.bin");
  std::vector<std::uint8_t> images(N * inputs), targets(N);
  std::vector<float> logits(N * K);
  std::vector<double> checksums(N * L * 2), losses(N);
  double lr = 0.0;
  const auto n = static_cast<std::int64_t>(N), l_count = static_cast<std::int64_t>(L);
  jitnet::from_tensor(golden, "images", "U8", {n, model::height, model::width, model::channels}, images.data());
  jitnet::from_tensor(golden, "targets", "U8", {n}, targets.data());
  jitnet::from_tensor(golden, "logits", "F32", {n, model::classes}, logits.data());
  jitnet::from_tensor(golden, "checksums", "F64", {n, l_count, 2}, checksums.data());
  jitnet::from_tensor(golden, "losses", "F64", {n}, losses.data());
  jitnet::from_tensor(golden, "lr", "F64", {1}, &lr);

  double worst_logit = 0.0, worst_checksum = 0.0, other_class = 0.0;
  for (std::size_t i = 0; i < N; i++) {
    const float* got = network.forward(&images[i * inputs]);
    const float* wanted = &logits[i * K];
    for (std::size_t k = 0; k < K; k++) worst_logit = std::max(worst_logit, distance(got[k], wanted[k]));
    other_class += is_class(got, static_cast<std::size_t>(std::max_element(wanted, wanted + K) - wanted)) ? 0.0 : 1.0;
    for (std::size_t l = 0; l < L; l++) {
      double sum = 0.0, squares = 0.0;
      for (int j = 0; j < model::layers[l].outputs(); j++) {
        const double value = network.output(l)[j];
        sum += value;
        squares += value * value;
      }
      const double* want = &checksums[(i * L + l) * 2];
      worst_checksum = std::max({worst_checksum, distance(sum, want[0]), distance(squares, want[1])});
    }
  }
  check(worst_logit, "logits of 32 images, largest difference");
  check(other_class, "images of another class than in Python");
  check(worst_checksum, "checksums of every layer, largest difference");

  const std::array<float, K> chances = model::predict(images.data());
  double total = 0.0, worst_loss = 0.0;
  for (const float chance : chances) total += static_cast<double>(chance);
  check(std::abs(total - 1), "probabilities add up to 1, difference");

  const jitnet::Loss kind = model::settings().loss;
  for (std::size_t i = 0; i < N; i++) {
    const auto image = static_cast<std::int64_t>(i);
    const double loss = network.train_step(images.data(), targets.data(), &image, 1, kind, {}, lr, image + 1);
    worst_loss = std::max(worst_loss, distance(loss, losses[i]));
  }
  check(worst_loss, "losses of 32 training steps, largest difference");
}

}  // namespace

int main() {
  try {
    run();
  } catch (const std::exception& error) {
    std::printf("FAIL %s\n", error.what());
    return 1;
  }
  if (failures == 0) std::printf("C++ and Python agree\n");
  return failures == 0 ? 0 : 1;
}
