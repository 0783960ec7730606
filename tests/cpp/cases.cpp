// Many small networks in one program, for tests/cpp/test_twin_training.py; and the reader of checkpoints, for
// tests/cpp/test_twin_reader.py. cases.hpp is made by tests/support/twins.py: a model.hpp in its own namespace for each
// network, and `run_case`, which calls `train_case` for one of them.
//
//   cases train NUMBER FOLDER    takes steps from FOLDER/model.safetensors on the images of FOLDER/steps.safetensors,
//                                writes FOLDER/after.safetensors and prints the loss of each step
//   cases read < FILES           reads checkpoints, each after its length in 8 bytes, and prints "ok" or why not

#include <cstdio>
#include <iostream>
#include <sstream>

#include "checkpoint.hpp"

template <const auto& layers>
void train_case(const std::string& folder, const jitnet::Settings& settings) {
  static jitnet::Network<layers> network;
  const jitnet::Checkpoint state = jitnet::load_checkpoint(folder + "/model.safetensors");
  const jitnet::Checkpoint steps = jitnet::load_checkpoint(folder + "/steps.safetensors");
  jitnet::load_params(state, network);
  jitnet::Position position = jitnet::load_position(state, settings.rule, network);
  const auto& images = steps.tensors.at("images");
  const auto& targets = steps.tensors.at("targets");
  const auto& order = steps.tensors.at("order");
  std::vector<std::int64_t> visited(order.data.size() / 8);
  std::memcpy(visited.data(), order.data.data(), order.data.size());
  const int batch = settings.batch_size;
  for (std::size_t start = 0; start < visited.size(); start += static_cast<std::size_t>(batch)) {
    const int N = std::min(batch, static_cast<int>(visited.size() - start));
    const double total = network.train_step(images.data.data(), targets.data.data(), visited.data() + start, N,
                                            settings.loss, settings.rule, settings.lr, ++position.step);
    std::printf("%.17g\n", total / N);
  }
  jitnet::save_checkpoint(folder + "/after.safetensors", jitnet::to_checkpoint(network, position, settings.rule));
}

#include "cases.hpp"

void read_all() {
  std::uint64_t size = 0;
  while (std::cin.read(reinterpret_cast<char*>(&size), sizeof size)) {
    std::string bytes(size, '\0');
    std::cin.read(bytes.data(), static_cast<std::streamsize>(size));
    std::istringstream file(bytes);
    try {
      jitnet::decode_checkpoint(file, size);
      std::puts("ok");
    } catch (const jitnet::Error& error) {
      std::puts(error.what());
    }
  }
}

int main(int argc, char** argv) {
  if (argc == 2 && argv[1] == std::string("read")) read_all();
  if (argc == 4 && argv[1] == std::string("train")) run_case(std::stoi(argv[2]), argv[3]);
  return 0;
}
