// main.cpp: train, eval and predict with the network of model.hpp. See README.md for the commands.

#include <cctype>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>

#include "model.hpp"

namespace {

using jitnet::Checkpoint;
using jitnet::Dataset;
using jitnet::Error;
using jitnet::Init;
using jitnet::Loss;
using jitnet::Optimizer;
using jitnet::Position;
using jitnet::Schedule;
using jitnet::Settings;

const char* const USAGE =
    "usage: jitnet_cpp train --data DIR [--out FILE] [--weights FILE | --resume FILE] [--losses FILE] [SETTINGS]\n"
    "       jitnet_cpp eval --data DIR [--weights FILE] [--logits FILE]\n"
    "       jitnet_cpp predict IMAGE.pgm... [--weights FILE]\n"
    "\n"
    "settings, those of the exported run unless given:\n"
    "  --epochs N  --steps-per-epoch N  --batch-size N  --lr PEAK  --shuffle  --no-shuffle  --seed N  --val N\n"
    "  --limit N  --loss cross-entropy|mse  --init documents|lecun|he|normal\n"
    "  --schedule documents|documents-old|cosine|cosine-per-step|one-cycle|one-cycle-per-step|step|constant\n"
    "  --warm-up N\n"
    "  --optimizer sgd|momentum|nesterov|adam|adamw\n"
    "  --momentum MU  --weight-decay X  --reduction mean|sum\n";

model::Network& network = model::network;

// A setting, as on the command line (--batch-size) and in a checkpoint (batch_size).
struct Setting {
  std::string name;
  std::function<void(Settings&, const std::string&)> set;  // throws Error
  std::function<std::string(const Settings&)> text;
};

// `member` gives a setting's place in Settings.
template <class Member>
Setting whole(const std::string& name, std::uint64_t least, std::uint64_t most, Member member) {
  const auto set = [=](Settings& settings, const std::string& text) {
    const bool digits = !text.empty() && text.size() <= 18 && text.find_first_not_of("0123456789") == text.npos;
    const std::uint64_t number = digits ? std::stoull(text) : 0;
    if (!digits || number < least || number > most) {
      throw Error(name + " is " + text + ": expected a whole number from " + std::to_string(least) + " to " +
                  std::to_string(most));
    }
    auto& place = member(settings);
    place = static_cast<std::remove_reference_t<decltype(place)>>(number);
  };
  return {name, set, [=](const Settings& settings) {
            Settings copy = settings;
            return std::to_string(member(copy));
          }};
}

template <class Member>
Setting real(const std::string& name, double least, double most, Member member) {
  const auto set = [=](Settings& settings, const std::string& text) {
    char* end = nullptr;
    const double number = std::strtod(text.c_str(), &end);
    if (end == text.c_str() || *end != '\0' || !(number >= least && number <= most)) {
      throw Error(name + " is " + text + ": expected a number from " + std::to_string(least) + " to " +
                  std::to_string(most));
    }
    member(settings) = number;
  };
  return {name, set, [=](const Settings& settings) {
            Settings copy = settings;
            char text[32];
            std::snprintf(text, sizeof text, "%.17g", member(copy));
            return std::string(text);
          }};
}

// The n-th word stands for the value n.
template <class Member>
Setting choice(const std::string& name, const std::vector<std::string>& words, Member member) {
  const auto set = [=](Settings& settings, const std::string& text) {
    const auto found = std::find(words.begin(), words.end(), text);
    std::string known;
    for (const std::string& word : words) known += (known.empty() ? "" : ", ") + word;
    if (found == words.end()) throw Error(name + " is " + text + ": expected one of " + known);
    auto& place = member(settings);
    place = static_cast<std::remove_reference_t<decltype(place)>>(found - words.begin());
  };
  return {name, set, [=](const Settings& settings) {
            Settings copy = settings;
            return words[static_cast<std::size_t>(member(copy))];
          }};
}

const std::vector<Setting>& known_settings() {
  constexpr std::uint64_t most = 1u << 30;
  static const std::vector<Setting> settings = {
      whole("epochs", 1, most, [](Settings& s) -> int& { return s.epochs; }),
      whole("steps_per_epoch", 0, most, [](Settings& s) -> int& { return s.steps_per_epoch; }),
      whole("batch_size", 0, most, [](Settings& s) -> int& { return s.batch_size; }),
      real("lr", 1e-30, 1e30, [](Settings& s) -> double& { return s.lr; }),
      choice("schedule",
             {"documents", "documents-old", "cosine", "cosine-per-step", "one-cycle", "one-cycle-per-step", "step",
              "constant"},
             [](Settings& s) -> Schedule& { return s.schedule; }),
      whole("warm_up", 0, most, [](Settings& s) -> int& { return s.warm_up; }),
      choice("loss", {"cross-entropy", "mse"}, [](Settings& s) -> Loss& { return s.loss; }),
      choice("optimizer", {"sgd", "momentum", "nesterov", "adam", "adamw"},
             [](Settings& s) -> Optimizer& { return s.rule.kind; }),
      choice("reduction", {"mean", "sum"}, [](Settings& s) -> bool& { return s.rule.summed; }),
      real("momentum", 0, 0.999999, [](Settings& s) -> double& { return s.rule.momentum; }),
      real("weight_decay", 0, 1e30, [](Settings& s) -> double& { return s.rule.decay; }),
      choice("init", {"documents", "lecun", "he", "normal"}, [](Settings& s) -> Init& { return s.init; }),
      choice("shuffle", {"false", "true"}, [](Settings& s) -> bool& { return s.shuffle; }),
      whole("seed", 0, std::uint64_t{1} << 62, [](Settings& s) -> std::uint64_t& { return s.seed; }),
      whole("val", 0, most, [](Settings& s) -> int& { return s.val; }),
      whole("limit", 0, most, [](Settings& s) -> int& { return s.limit; })};
  return settings;
}

// The words of the command line: options with their values, by names like batch_size, and the rest.
struct Arguments {
  std::map<std::string, std::string> options;
  std::vector<std::string> words;

  Arguments(int argc, char** argv, std::vector<std::string> known) {
    const std::string command = argv[1];
    if (command == "train") {
      for (const Setting& setting : known_settings()) known.push_back(setting.name);
    }
    for (int i = 2; i < argc; i++) {
      const std::string word = argv[i];
      std::string name = word.rfind("--", 0) == 0 ? word.substr(2) : "";
      std::replace(name.begin(), name.end(), '-', '_');
      if (name.empty() && command == "predict") {
        words.push_back(word);
      } else if (command == "train" && (name == "shuffle" || name == "no_shuffle")) {
        options["shuffle"] = name == "shuffle" ? "true" : "false";
      } else if (std::find(known.begin(), known.end(), name) == known.end()) {
        throw Error(word + " is not an option of " + command + ": see jitnet_cpp --help");
      } else if (i + 1 == argc) {
        throw Error(word + " is given without a value: expected one after it");
      } else {
        options[name] = argv[++i];
      }
    }
  }

  bool has(const std::string& name) const { return options.count(name) > 0; }
  std::string text(const std::string& name, const std::string& otherwise) const {
    return has(name) ? options.at(name) : otherwise;
  }
};

// Change the settings that are named; throws Error.
void change(Settings& settings, const std::map<std::string, std::string>& named) {
  for (const Setting& setting : known_settings()) {
    if (named.count(setting.name) > 0) setting.set(settings, named.at(setting.name));
  }
}

// Read the two IDX files of the training ("train") or of the test images ("t10k").
Dataset read_data(const Arguments& given, const std::string& part) {
  if (!given.has("data")) throw Error("--data is missing: expected the folder of the four IDX files of MNIST");
  const std::string stem = given.options.at("data") + "/" + part;
  std::vector<std::int64_t> extents, count;
  Dataset data;
  data.images = jitnet::read_idx(stem + "-images-idx3-ubyte", extents);
  data.targets = jitnet::read_idx(stem + "-labels-idx1-ubyte", count);
  if (extents.size() == 3) extents.push_back(1);
  if (extents != std::vector<std::int64_t>{extents[0], model::height, model::width, model::channels}) {
    throw Error(stem + "-images-idx3-ubyte has images of another size: expected " + std::to_string(model::height) +
                "x" + std::to_string(model::width) + "x" + std::to_string(model::channels));
  }
  if (count.size() != 1 || count[0] != extents[0] || data.targets.empty()) {
    throw Error(stem + " has not as many labels as images: get the files again");
  }
  const int largest = *std::max_element(data.targets.begin(), data.targets.end());
  if (largest >= model::classes) {
    throw Error(stem + " has the label " + std::to_string(largest) + ": expected labels below " +
                std::to_string(model::classes));
  }
  return data;
}

// The identity of the data as the Python side defines it: the digest of the four files' digests.
std::string data_sha256(const std::string& folder) {
  std::string digests;
  for (const char* name : {"train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"}) {
    std::uint64_t size = 0;
    std::ifstream file = jitnet::open_file(folder + "/" + name + "-ubyte", size);
    digests += jitnet::sha256(jitnet::read_bytes(file, size));
  }
  return jitnet::sha256(jitnet::Bytes(digests.begin(), digests.end()));
}

// Call read(checkpoint) with a checkpoint's content; what it complains of gets the file's name.
template <class Read>
void with_checkpoint(const std::string& path, Read read) {
  const Checkpoint checkpoint = jitnet::load_checkpoint(path);
  try {
    read(checkpoint);
  } catch (const Error& error) {
    throw Error(path + ": " + error.what() + "; give a checkpoint of the network " + model::architecture);
  }
}

void load_weights(const std::string& path) {
  with_checkpoint(path, [](const Checkpoint& checkpoint) { jitnet::load_params(checkpoint, network); });
}

// Save the state with what Python wants to know of it: see checkpoint.py, classifier.py and runfolder/folder.py there.
void save(const std::string& path, const Position& position, const Settings& settings, const std::string& identity,
          double elapsed_s) {
  Checkpoint checkpoint = jitnet::to_checkpoint(network, position, settings.rule);
  std::string labels;
  for (int k = 0; k < model::classes; k++) labels += (k > 0 ? ", " : "") + std::to_string(k);
  checkpoint.metadata = {
      {"writer", "jitnet.hpp"},
      {"title", model::title},
      {"architecture", model::architecture},
      {"image", std::to_string(model::height) + " " + std::to_string(model::width) + " " +
                    std::to_string(model::channels)},
      {"bias", model::bias},
      {"classes", "[" + labels + "]"},
      {"classes_dtype", "<i8"},
      {"data_sha256", identity},
      {"elapsed_s", std::to_string(elapsed_s)},
      {"train_s", "0.0"}};
  for (const Setting& setting : known_settings()) checkpoint.metadata[setting.name] = setting.text(settings);
  jitnet::save_checkpoint(path, checkpoint);
}

// A file for output, if one was requested.
using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

File open_output(const Arguments& given, const std::string& name) {
  File file(given.has(name) ? std::fopen(given.options.at(name).c_str(), "wb") : nullptr, std::fclose);
  if (given.has(name) && !file) throw Error(given.options.at(name) + " cannot be written: choose another --" + name);
  return file;
}

void close_output(File& file, const std::string& name) {
  const bool failed = file && std::fclose(file.release()) != 0;
  if (failed) throw Error("the file of --" + name + " cannot be written: make room or choose another place");
}

int train(const Arguments& given) {
  const auto started = std::chrono::steady_clock::now();
  if (*model::only_python != '\0') {
    throw Error(std::string("the run was trained with ") + model::only_python +
                ", which this program lacks: expected jitnet train, or an export of another run");
  }
  if (given.has("weights") && given.has("resume")) throw Error("--weights and --resume are given: leave one out");
  Settings settings = model::settings();
  Position position;
  int until = 0;  // epochs in all
  double before_s = 0.0;
  change(settings, given.options);  // before the data: a typing error should not wait for it
  const Dataset data = read_data(given, "train"), test = read_data(given, "t10k");
  const std::string identity = data_sha256(given.options.at("data"));
  if (given.has("resume")) {
    with_checkpoint(given.options.at("resume"), [&](const Checkpoint& checkpoint) {
      settings = model::settings();
      change(settings, checkpoint.metadata);
      const int planned = settings.epochs;
      change(settings, given.options);
      until = settings.epochs;
      if (!given.has("schedule")) settings.epochs = planned;  // beyond the plan at its last rate
      jitnet::load_params(checkpoint, network);
      position = jitnet::load_position(checkpoint, settings.rule, network);
      const auto trained_on = checkpoint.metadata.find("data_sha256"), elapsed = checkpoint.metadata.find("elapsed_s");
      if (trained_on != checkpoint.metadata.end() && position.step > 0 && trained_on->second != identity) {
        throw Error("it was trained on other data than --data has");
      }
      if (elapsed != checkpoint.metadata.end()) before_s = std::strtod(elapsed->second.c_str(), nullptr);
    });
  } else if (given.has("weights")) {
    load_weights(given.options.at("weights"));
  } else {
    jitnet::initialise(network, settings.init, settings.seed);
  }
  until = std::max(until, settings.epochs);
  File losses = open_output(given, "losses");
  const auto elapsed_s = [&] {
    return before_s + std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  };
  if (given.has("out")) save(given.options.at("out"), position, settings, identity, before_s);  // can it be written?

  std::printf("%s, %zu parameters%s\n", model::architecture, network.param_count,
              given.has("out") ? "" : ", not saved without --out FILE");
  double accuracy = -1.0;
  while (position.epoch < until) {
    const std::int64_t epoch = position.epoch;
    const double average = jitnet::train_epoch(network, data, settings, position, [&](double loss) {
      if (losses) std::fprintf(losses.get(), "%.17g\n", loss);
    });
    accuracy = jitnet::evaluate(network, test, settings.loss, [](const float*) {}).accuracy;
    const double middle = static_cast<double>(position.step) * (static_cast<double>(epoch) + 0.5) / static_cast<double>(epoch + 1);
    std::printf("Epoch %2d lr = %.6f avg loss = %.6f accuracy = %.2f\n", static_cast<int>(epoch),
                jitnet::learning_rate(settings, epoch) * jitnet::warm_up(settings, middle), average, accuracy);
    std::fflush(stdout);
    if (given.has("out")) save(given.options.at("out"), position, settings, identity, elapsed_s());
  }
  close_output(losses, "losses");
  if (accuracy < 0) accuracy = jitnet::evaluate(network, test, settings.loss, [](const float*) {}).accuracy;
  std::printf("Final accuracy of test set = %.2f\n", accuracy);
  std::printf("Total execution time: %.2f minutes\n", elapsed_s() / 60);
  return 0;
}

int eval(const Arguments& given) {
  load_weights(given.text("weights", "model.safetensors"));
  const Dataset test = read_data(given, "t10k");
  File file = open_output(given, "logits");
  const jitnet::Score score = jitnet::evaluate(network, test, model::settings().loss, [&](const float* logits) {
    if (file) std::fwrite(logits, sizeof(float), model::classes, file.get());
  });
  close_output(file, "logits");
  std::printf("loss = %.6f accuracy = %.2f\n", score.loss, score.accuracy);
  return 0;
}

// Read a binary PGM of the network's size: "P5", width, height, 255, one white space, the pixels.
jitnet::Bytes read_pgm(const std::string& path) {
  constexpr std::size_t pixels = static_cast<std::size_t>(model::height) * model::width;
  std::uint64_t size = 0;
  std::ifstream file = jitnet::open_file(path, size);
  const jitnet::Bytes bytes = jitnet::read_bytes(file, std::min<std::uint64_t>(size, pixels + 10000));
  std::vector<std::string> words;
  std::size_t at = 0;
  while (words.size() < 4 && at < bytes.size()) {
    if (bytes[at] == '#') {
      while (at < bytes.size() && bytes[at] != '\n') at++;
    } else if (std::isspace(bytes[at]) != 0) {
      at++;
    } else {
      words.emplace_back();
      while (at < bytes.size() && std::isspace(bytes[at]) == 0) words.back() += static_cast<char>(bytes[at++]);
    }
  }
  const std::vector<std::string> wanted = {"P5", std::to_string(model::width), std::to_string(model::height), "255"};
  if (words != wanted || bytes.size() - at != pixels + 1) {
    throw Error(path + " is not the image that was expected: a binary PGM (P5) of " + wanted[1] + "x" + wanted[2] +
                " pixels, 8 bits, light on black");
  }
  return jitnet::Bytes(bytes.end() - static_cast<std::ptrdiff_t>(pixels), bytes.end());
}

int predict(const Arguments& given) {
  if (model::channels != 1) throw Error("the network reads images of several channels: predict reads grey ones only");
  if (given.words.empty()) throw Error("no image is given: expected one or more PGM files");
  load_weights(given.text("weights", "model.safetensors"));
  for (const std::string& path : given.words) {
    const std::array<float, model::classes> chances = model::predict(read_pgm(path).data());
    std::array<std::size_t, model::classes> ranked;
    std::iota(ranked.begin(), ranked.end(), std::size_t{0});
    std::stable_sort(ranked.begin(), ranked.end(), [&](auto a, auto b) { return chances[a] > chances[b]; });
    std::printf("%s: %zu  ", path.c_str(), ranked[0]);
    for (std::size_t i = 0; i < std::min<std::size_t>(3, ranked.size()); i++) {
      std::printf("  %zu %5.1f %%", ranked[i], 100 * static_cast<double>(chances[ranked[i]]));
    }
    std::printf("\n");
  }
  return 0;
}

int run(int argc, char** argv) {
  const std::string command = argc > 1 ? argv[1] : "";
  if (command == "train") return train(Arguments(argc, argv, {"data", "out", "weights", "resume", "losses"}));
  if (command == "eval") return eval(Arguments(argc, argv, {"data", "weights", "logits"}));
  if (command == "predict") return predict(Arguments(argc, argv, {"weights"}));
  std::fputs(USAGE, command == "--help" ? stdout : stderr);
  return command == "--help" ? 0 : 2;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const jitnet::Diverged& stop) {
    std::fprintf(stderr, "jitnet_cpp: %s: try a smaller --lr\n", stop.what());
    return 3;
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "jitnet_cpp: there is not enough memory for these files\n");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "jitnet_cpp: %s\n", error.what());
  }
  return 2;
}
