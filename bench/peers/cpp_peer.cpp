// What bench/peers/cpp_peer.py calls: the network of a model.hpp that `jitnet export cpp` would write, as a library.

#include "model.hpp"

#define EXPORTED extern "C" __attribute__((visibility("default")))

static model::Network network;

EXPORTED void set_tensor(const char* wanted, const float* values) {
  network.for_each_tensor([&](const std::string& name, const std::vector<std::int64_t>& shape, int offset) {
    std::size_t count = 1;
    for (const std::int64_t extent : shape) count *= static_cast<std::size_t>(extent);
    if (name == wanted) std::copy_n(values, count, network.params.data() + offset);
  });
}

EXPORTED int train(const std::uint8_t* images, const std::uint8_t* targets, int steps, int batch, double lr,
                     double* losses) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(batch));
  try {
    for (int step = 0; step < steps; step++) {
      std::iota(order.begin(), order.end(), std::int64_t{step} * batch);
      losses[step] = network.train_step(images, targets, order.data(), batch, jitnet::Loss::cross_entropy, {}, lr,
                                        step + 1) / batch;
    }
  } catch (const jitnet::Diverged&) {
    return 1;
  }
  return 0;
}

EXPORTED void predict(const std::uint8_t* images, int count, float* logits) {
  for (int n = 0; n < count; n++) {
    std::copy_n(network.forward(images + n * network.inputs), network.classes, logits + n * network.classes);
  }
}
