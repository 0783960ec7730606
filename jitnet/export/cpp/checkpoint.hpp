// checkpoint.hpp: the files of jitnet.hpp. IDX images are read; checkpoints are read and written, in the format and
// with the checks of jitnet/storage/checkpoint.py: safetensors with a SHA-256 over every byte.
//
// Nothing that a file says is believed before it is checked, and no memory is taken for a claim: each flaw is an Error
// that names the reason.

#pragma once

#include <filesystem>
#include <fstream>
#include <istream>
#include <map>

#include "jitnet.hpp"

namespace jitnet {

using Bytes = std::vector<std::uint8_t>;

// Open a file to read; its size is how much it really holds.
inline std::ifstream open_file(const std::string& path, std::uint64_t& size) {
  std::error_code problem;
  if (!std::filesystem::is_regular_file(path, problem)) throw Error(path + " cannot be read: there is no such file");
  size = std::filesystem::file_size(path, problem);
  std::ifstream file(path, std::ios::binary);
  if (!file || problem) throw Error(path + " cannot be read: check its permissions");
  return file;
}

// Read `count` bytes, which the file is known to contain.
inline Bytes read_bytes(std::istream& file, std::uint64_t count) {
  Bytes bytes(static_cast<std::size_t>(count));
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(count));
  if (file.gcount() != static_cast<std::streamsize>(count)) throw Error("it ends while it is read");
  return bytes;
}

// Read an IDX file of unsigned bytes: two zero bytes, type 8, the number of extents, the extents, the data.
inline Bytes read_idx(const std::string& path, std::vector<std::int64_t>& extents) {
  std::error_code problem;
  if (!std::filesystem::exists(path, problem) && std::filesystem::exists(path + ".gz", problem)) {
    throw Error(path + " exists as .gz only: unpack it with gunzip -k " + path + ".gz");
  }
  std::uint64_t size = 0;
  std::ifstream file = open_file(path, size);
  const Bytes head = read_bytes(file, std::min<std::uint64_t>(size, 20));  // up to 4 extents
  if (head.size() < 4 || head[0] != 0 || head[1] != 0) throw Error(path + " is not an IDX file: get the file again");
  if (head[2] != 8) throw Error(path + " does not hold unsigned bytes (IDX type 0x08): convert it");
  const std::size_t begin = 4 + 4 * std::size_t{head[3]};
  if (head[3] < 1 || head[3] > 4 || head.size() < begin) throw Error(path + " has a damaged header: get it again");
  std::uint64_t wanted = 1;
  extents.clear();
  for (std::size_t i = 4; i < begin; i += 4) {
    const std::uint64_t extent = std::uint64_t{head[i]} << 24 | std::uint64_t{head[i + 1]} << 16 |
                                 std::uint64_t{head[i + 2]} << 8 | head[i + 3];
    extents.push_back(static_cast<std::int64_t>(extent));
    wanted = extent != 0 && wanted > size / extent ? size + 1 : wanted * extent;  // never beyond 64 bits
  }
  if (wanted != size - begin) throw Error(path + " has more or less data than its header says: get the file again");
  file.seekg(static_cast<std::streamoff>(begin));
  return read_bytes(file, wanted);
}

// SHA-256 (FIPS 180-4) as 64 hex digits.
inline std::string sha256(Bytes message) {
  static const std::array<std::uint32_t, 64> round = {
      0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
      0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
      0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
      0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
      0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
      0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
      0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
      0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
  std::array<std::uint32_t, 8> hash = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  const auto rotate = [](std::uint32_t x, int n) { return x >> n | x << (32 - n); };
  const std::uint64_t bits = 8 * static_cast<std::uint64_t>(message.size());
  message.push_back(0x80);
  message.resize((message.size() + 8 + 63) / 64 * 64);
  for (std::size_t i = 0; i < 8; i++) message[message.size() - 1 - i] = static_cast<std::uint8_t>(bits >> 8 * i);
  for (std::size_t block = 0; block < message.size(); block += 64) {
    std::array<std::uint32_t, 64> w;
    for (std::size_t i = 0; i < 64; i++) {
      if (i < 16) {
        const std::uint8_t* byte = &message[block + 4 * i];
        w[i] = std::uint32_t{byte[0]} << 24 | std::uint32_t{byte[1]} << 16 | std::uint32_t{byte[2]} << 8 | byte[3];
      } else {
        const std::uint32_t a = w[i - 15], b = w[i - 2];
        const std::uint32_t s0 = rotate(a, 7) ^ rotate(a, 18) ^ a >> 3, s1 = rotate(b, 17) ^ rotate(b, 19) ^ b >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
      }
    }
    auto [a, b, c, d, e, f, g, h] = hash;
    for (std::size_t i = 0; i < 64; i++) {
      const std::uint32_t choice = (e & f) ^ (~e & g);
      const std::uint32_t t1 = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + choice + round[i] + w[i];
      const std::uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
      h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
    }
    const std::array<std::uint32_t, 8> state = {a, b, c, d, e, f, g, h};
    for (std::size_t i = 0; i < 8; i++) hash[i] += state[i];
  }
  std::string digits;
  for (const std::uint32_t word : hash) {
    for (int shift = 28; shift >= 0; shift -= 4) digits += "0123456789abcdef"[word >> shift & 15];
  }
  return digits;
}

// A safetensors file: an 8-byte length, a JSON header of that length, the raw little-endian arrays.
struct Tensor {
  std::string dtype;  // "F32", "F64", "I64", "U8", ...
  std::vector<std::int64_t> shape;
  Bytes data;
};

struct Checkpoint {
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::string> metadata;  // values as they stand in the JSON, escapes and all
};

constexpr std::uint64_t HEADER_LIMIT = 1 << 20;  // bytes

inline std::uint64_t itemsize(const std::string& dtype) {
  static const std::map<std::string, std::uint64_t> sizes = {{"F32", 4}, {"F64", 8}, {"I32", 4},
                                                             {"I64", 8}, {"U64", 8}, {"U8", 1}};
  const auto found = sizes.find(dtype);
  if (found == sizes.end()) throw Error("it has an unknown dtype: expected F32, F64, I32, I64, U64 or U8");
  return found->second;
}

// Reads the JSON of a safetensors header, which knows three things: objects, strings, lists of whole numbers.
class HeaderReader {
 public:
  explicit HeaderReader(std::string text) : text_(std::move(text)) {}

  // Call `member(name)` for each member of an object; it must read the value. No name may come twice. Returns how many.
  template <class Member>
  std::size_t object(Member member) {
    std::map<std::string, bool> seen;
    expect('{');
    if (next() == '}') return expect('}'), 0;
    for (;;) {
      const std::string name = string();
      if (name.find('\\') != name.npos) fail("an escape in a name");  // or one name could be written in two ways
      if (!seen.emplace(name, true).second) fail("two entries called " + name);
      expect(':');
      member(name);
      if (next() == '}') return expect('}'), seen.size();
      expect(',');
    }
  }

  // Printable ASCII, as jitnet writes it: other characters are \uXXXX.
  std::string string() {
    expect('"');
    const std::size_t begin = at_;
    for (; at() != '"'; at_++) {
      if (at() < ' ' || at() > '~') fail("a character that is not printable ASCII");
      if (at() == '\\') escape();
    }
    return text_.substr(begin, at_++ - begin);
  }

  std::vector<std::int64_t> integers() {
    std::vector<std::int64_t> values;
    expect('[');
    if (next() == ']') return expect(']'), values;
    for (;;) {
      next();
      const std::size_t digits = std::min(text_.find_first_not_of("0123456789", at_), text_.size()) - at_;
      const bool padded = digits > 1 && text_[at_] == '0';
      if (digits < 1 || digits > 18 || padded || values.size() == 8) fail("no list of up to 8 whole numbers");
      values.push_back(std::stoll(text_.substr(at_, digits)));
      at_ += digits;
      if (next() == ']') return expect(']'), values;
      expect(',');
    }
  }

  void end() {
    if (next() != '\0') fail("foreign text");
  }

 private:
  // Step to the last character of an escape. Those of control characters are refused: the text may be shown.
  void escape() {
    at_++;
    if (at() == '"' || at() == '\\' || at() == '/') return;
    const unsigned long code = unicode();
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) fail("a control character");
    if (code < 0xd800 || code >= 0xe000) return;
    at_++;  // the first half of a pair, which must have a second one
    if (at() != '\\') fail("half a character");
    at_++;
    const unsigned long second = unicode();
    if (code >= 0xdc00 || second < 0xdc00 || second >= 0xe000) fail("half a character");
  }
  // Read uXXXX and step to its last digit.
  unsigned long unicode() {
    const std::string digits = at() == 'u' ? text_.substr(at_ + 1, 4) : "";
    if (digits.size() != 4 || digits.find_first_not_of("0123456789abcdefABCDEF") != digits.npos) fail("a bad escape");
    at_ += 4;
    return std::stoul(digits, nullptr, 16);
  }
  char at() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  char next() {
    at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size());
    return at();
  }
  void expect(char c) {
    if (next() != c) fail(std::string("no ") + c + " where one was expected");
    at_++;
  }
  [[noreturn]] void fail(const std::string& what) const {
    throw Error("its header has " + what + ", near byte " + std::to_string(at_));
  }
  std::string text_;
  std::size_t at_ = 0;
};

// Is every number of a tensor finite, if they are of this type?
template <class Number>
bool is_finite(const Bytes& data) {
  Number x;
  for (std::size_t i = 0; i < data.size(); i += sizeof x) {
    std::memcpy(&x, data.data() + i, sizeof x);
    if (!std::isfinite(x)) return false;
  }
  return true;
}

// Where the 64 digits of the file's own digest begin in its header.
inline std::size_t digits_at(const Bytes& header, const std::string& digits) {
  const std::string key = "\"sha256\":\"" + digits + "\"";
  const auto found = std::search(header.begin(), header.end(), key.begin(), key.end());
  if (digits.size() != 64 || found == header.end()) throw Error("it has no sha256 of its contents");
  return static_cast<std::size_t>(found - header.begin()) + 10;
}

// Read the whole file of `size` bytes. Memory is taken for the header first, for the rest when all of it adds up.
inline Checkpoint decode_checkpoint(std::istream& file, std::uint64_t size) {
  if (size < 8) throw Error("it is truncated: it has no header");
  Bytes head = read_bytes(file, 8);
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < 8; i++) length |= std::uint64_t{head[i]} << 8 * i;
  if (length > HEADER_LIMIT || length > size - 8) {
    throw Error("its header claims " + std::to_string(length) + " bytes: it is truncated or not a checkpoint");
  }
  const Bytes text = read_bytes(file, length);
  head.insert(head.end(), text.begin(), text.end());
  size -= 8 + length;

  Checkpoint checkpoint;
  std::map<std::uint64_t, std::pair<std::uint64_t, std::string>> places;  // begin -> end and name of each array
  HeaderReader header(std::string(text.begin(), text.end()));
  header.object([&](const std::string& name) {
    if (name == "__metadata__") {
      header.object([&](const std::string& key) { checkpoint.metadata[key] = header.string(); });
      return;
    }
    Tensor& tensor = checkpoint.tensors[name];
    std::vector<std::int64_t> offsets;
    const std::size_t members = header.object([&](const std::string& key) {
      if (key == "dtype") tensor.dtype = header.string();
      else if (key == "shape") tensor.shape = header.integers();
      else if (key == "data_offsets") offsets = header.integers();
      else throw Error("the entry " + name + " has the unknown member " + key);
    });
    if (members != 3 || offsets.size() != 2) {
      throw Error("the entry " + name + " has not exactly dtype, shape and two data_offsets");
    }
    std::uint64_t wanted = itemsize(tensor.dtype);
    for (const std::int64_t extent : tensor.shape) {
      const auto count = static_cast<std::uint64_t>(extent);
      if (count < 1 || wanted > size / count) throw Error("the shape of " + name + " does not fit its data");
      wanted *= count;
    }
    const auto begin = static_cast<std::uint64_t>(offsets[0]), end = static_cast<std::uint64_t>(offsets[1]);
    if (end < begin || end - begin != wanted) throw Error("the shape of " + name + " does not fit its data");
    const bool fresh = places.emplace(begin, std::make_pair(end, name)).second;
    if (!fresh) throw Error("the data of " + name + " overlap others");
  });
  header.end();
  if (checkpoint.metadata["format"] != "jitnet-1") throw Error("its format is not jitnet-1, which this program reads");
  std::uint64_t end = 0;
  for (const auto& [begin, place] : places) {
    if (begin != end) throw Error("the data of " + place.second + " overlap others or leave a gap");
    end = place.first;
  }
  if (end != size) throw Error("it is truncated or followed by foreign bytes");

  const Bytes data = read_bytes(file, size);
  const std::string digest = checkpoint.metadata["sha256"];
  std::fill_n(head.begin() + 8 + static_cast<std::ptrdiff_t>(digits_at(text, digest)), 64, std::uint8_t{'0'});
  head.insert(head.end(), data.begin(), data.end());
  if (sha256(std::move(head)) != digest) throw Error("its contents do not match its sha256: a bit has changed");
  for (const auto& [begin, place] : places) {
    const auto first = data.begin() + static_cast<std::ptrdiff_t>(begin);
    Tensor& tensor = checkpoint.tensors[place.second];
    tensor.data.assign(first, data.begin() + static_cast<std::ptrdiff_t>(place.first));
    const bool finite = tensor.dtype == "F32"   ? is_finite<float>(tensor.data)
                        : tensor.dtype == "F64" ? is_finite<double>(tensor.data)
                                                : true;
    if (!finite) throw Error(place.second + " has a value that is not finite");
  }
  return checkpoint;
}

inline Bytes encode_checkpoint(const Checkpoint& checkpoint) {
  std::vector<std::pair<std::uint64_t, std::string>> order;  // wide dtypes first, so that every array is aligned
  for (const auto& [name, tensor] : checkpoint.tensors) order.emplace_back(8 - itemsize(tensor.dtype), name);
  std::sort(order.begin(), order.end());
  const std::string zeros(64, '0');
  std::string text = "{\"__metadata__\":{";
  for (const auto& [name, value] : checkpoint.metadata) text += "\"" + name + "\":\"" + value + "\",";
  text += "\"format\":\"jitnet-1\",\"sha256\":\"" + zeros + "\"}";
  Bytes data;
  for (const auto& [narrow, name] : order) {
    const Tensor& tensor = checkpoint.tensors.at(name);
    std::string shape;
    for (const std::int64_t extent : tensor.shape) shape += (shape.empty() ? "" : ",") + std::to_string(extent);
    text += ",\"" + name + "\":{\"dtype\":\"" + tensor.dtype + "\",\"shape\":[" + shape + "],\"data_offsets\":[" +
            std::to_string(data.size()) + "," + std::to_string(data.size() + tensor.data.size()) + "]}";
    data.insert(data.end(), tensor.data.begin(), tensor.data.end());
  }
  text += "}";
  text.resize((text.size() + 7) / 8 * 8, ' ');
  Bytes bytes;
  for (std::size_t i = 0; i < 8; i++) bytes.push_back(static_cast<std::uint8_t>(text.size() >> 8 * i));
  bytes.insert(bytes.end(), text.begin(), text.end());
  const std::size_t place = digits_at(bytes, zeros);
  bytes.insert(bytes.end(), data.begin(), data.end());
  const std::string digest = sha256(bytes);
  std::copy(digest.begin(), digest.end(), bytes.begin() + static_cast<std::ptrdiff_t>(place));
  return bytes;
}

inline Checkpoint load_checkpoint(const std::string& path) {
  std::uint64_t size = 0;
  std::ifstream file = open_file(path, size);
  try {
    return decode_checkpoint(file, size);
  } catch (const Error& error) {
    throw Error(path + " is not a usable checkpoint: " + error.what());
  }
}

// Written next to `path` and renamed: an old file is replaced as a whole or not at all.
inline void save_checkpoint(const std::string& path, const Checkpoint& checkpoint) {
  const Bytes bytes = encode_checkpoint(checkpoint);
  const std::string temporary = path + ".tmp";
  std::ofstream file(temporary, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  file.close();
  std::error_code problem;
  if (file) std::filesystem::rename(temporary, path, problem);
  if (file && !problem) return;
  std::filesystem::remove(temporary, problem);
  throw Error(path + " cannot be written: choose another place with --out");
}

// Numbers as a tensor's bytes, and back. Both assume a little-endian host, as is every one that jitnet runs on.
template <class Number>
Tensor to_tensor(const std::string& dtype, std::vector<std::int64_t> shape, const Number* numbers) {
  std::size_t size = sizeof(Number);
  for (const std::int64_t extent : shape) size *= static_cast<std::size_t>(extent);
  Tensor tensor{dtype, std::move(shape), Bytes(size)};
  std::memcpy(tensor.data.data(), numbers, size);
  return tensor;
}

template <class Number>
void from_tensor(const Checkpoint& checkpoint, const std::string& name, const std::string& dtype,
                 const std::vector<std::int64_t>& shape, Number* numbers) {
  const auto found = checkpoint.tensors.find(name);
  if (found == checkpoint.tensors.end() || found->second.dtype != dtype || found->second.shape != shape) {
    throw Error("it was made by another network or optimizer: its " + name + " is missing or has another shape");
  }
  std::memcpy(numbers, found->second.data.data(), found->second.data.size());
}

// The state of a training under its names: parameters, position, and what the optimizer remembers.
template <const auto& layers>
Checkpoint to_checkpoint(const Network<layers>& network, const Position& position, const Rule& rule) {
  Checkpoint checkpoint;
  network.for_each_tensor([&](const std::string& name, const std::vector<std::int64_t>& shape, int offset) {
    checkpoint.tensors[name] = to_tensor("F32", shape, network.params.data() + offset);
  });
  const auto all = static_cast<std::int64_t>(network.param_count);
  if (rule.moments() > 0) checkpoint.tensors["optimizer.first"] = to_tensor("F32", {all}, network.first.data());
  if (rule.moments() > 1) checkpoint.tensors["optimizer.second"] = to_tensor("F32", {all}, network.second.data());
  const std::int64_t place[3] = {position.epoch, position.step_in_epoch, position.step};
  checkpoint.tensors["position"] = to_tensor("I64", {3}, place);
  checkpoint.tensors["loss_sum"] = to_tensor("F64", {1}, &position.loss_sum);
  return checkpoint;
}

// Take the parameters from a checkpoint.
template <const auto& layers>
void load_params(const Checkpoint& checkpoint, Network<layers>& network) {
  network.for_each_tensor([&](const std::string& name, const std::vector<std::int64_t>& shape, int offset) {
    from_tensor(checkpoint, name, "F32", shape, network.params.data() + offset);
  });
}

// Take the rest of a training's state; the optimizer's must be there unless no step is done yet.
template <const auto& layers>
Position load_position(const Checkpoint& checkpoint, const Rule& rule, Network<layers>& network) {
  std::int64_t place[3];
  Position position;
  from_tensor(checkpoint, "position", "I64", {3}, place);
  from_tensor(checkpoint, "loss_sum", "F64", {1}, &position.loss_sum);
  if (place[0] < 0 || place[1] < 0 || place[2] < 0) throw Error("its position is negative");
  position = {place[0], place[1], place[2], position.loss_sum};
  const auto all = static_cast<std::int64_t>(network.param_count);
  const int moments = position.step == 0 ? 0 : rule.moments();
  if (moments > 0) from_tensor(checkpoint, "optimizer.first", "F32", {all}, network.first.data());
  if (moments > 1) from_tensor(checkpoint, "optimizer.second", "F32", {all}, network.second.data());
  return position;
}

}  // namespace jitnet
