#pragma once
// Networks as ncnn stores them: the layers in a text file (.param), the weights in a second file
// (.bin) in the layers' order. Read for the Real-ESRGAN generators: chains of Convolution and
// PReLU.
//   .param   7767517 / layers blobs / per layer: type name inputs outputs <blob names> key=value
//   ...
//            Convolution: 0 outputs, 1 kernel, 11 kernel height, 5 has bias, 6 number of weights
//   .bin     weights (OIHW) behind a u32 tag: 0 fp32, 0x01306B47 fp16 padded to 4 bytes; biases and
//            PReLU slopes are bare fp32
// Source: ncnn's docs/developer-guide/param-and-model-file-structure.md and src/modelbin.cpp.

#include <algorithm>
#include <charconv>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/io/byte_reader.hpp>
#include <mien/weights/architecture.hpp>
#include <mien/weights/checkpoint.hpp>

namespace mien::weights {

namespace ncnn {

struct Layer {
  std::string_view type, name;
  std::map<int, std::string_view> values;  // by key

  // An integer value between 0 and 2^31; `otherwise` where the key is absent.
  std::int64_t integer(int key, std::int64_t otherwise, const std::string& where) const {
    const auto found = values.find(key);
    if (found == values.end()) return otherwise;
    std::int64_t value = -1;
    const std::string_view text = found->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    check(error == std::errc{} && end == text.data() + text.size() && value >= 0 &&
              value < std::int64_t{1} << 31,
          where, "layer ", name, ": value ", key, "=", text);
    return value;
  }
};

namespace detail {

// The words of a line, taken from the front.
class Words {
 public:
  explicit Words(std::string_view line) : rest_(line) { skip_space(); }
  bool done() const { return rest_.empty(); }
  std::string_view next() {
    const auto end = std::min(rest_.find_first_of(" \t\r"), rest_.size());
    const auto word = rest_.substr(0, end);
    rest_.remove_prefix(end);
    skip_space();
    return word;
  }
  std::uint64_t count(const std::string& where) {
    const auto word = next();
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    check(error == std::errc{} && end == word.data() + word.size(), where, "'", word,
          "' where a number should be");
    return value;
  }

 private:
  void skip_space() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r"), rest_.size()));
  }
  std::string_view rest_;
};

inline Layer parse_layer(std::string_view line, const std::string& where) {
  Words words(line);
  Layer layer;
  layer.type = words.next();
  layer.name = words.next();
  const std::uint64_t inputs = words.count(where), outputs = words.count(where);
  for (std::uint64_t i = 0; i < inputs + outputs; ++i)
    check(!words.next().empty(), where, "layer ", layer.name, " names too few blobs");
  while (!words.done()) {
    const std::string_view word = words.next();
    const auto equals = word.find('=');
    int key = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), key);
    check(equals != std::string_view::npos && error == std::errc{} && end == word.data() + equals,
          where, "layer ", layer.name, ": '", word, "' is not key=value");
    layer.values.emplace(key, word.substr(equals + 1));
  }
  return layer;
}

// Layers without weights that the generators consist of besides.
inline bool has_no_weights(std::string_view type) {
  constexpr std::string_view types[] = {"Input",  "Split",   "PixelShuffle", "Interp", "BinaryOp",
                                        "Concat", "Eltwise", "ReLU",         "Reorg",  "Noop",
                                        "Crop",   "Padding", "Dropout"};
  return std::find(std::begin(types), std::end(types), type) != std::end(types);
}

// The weights of a layer, not yet named.
struct LayerWeights {
  bool slopes = false;  // PReLU
  AnyTensor weight, bias;
};

class BinReader {
 public:
  BinReader(Bytes data, const std::string& where, MemoryBudget& budget)
      : reader_(data, where), budget_(budget) {}

  LayerWeights convolution(const Layer& layer) {
    const std::int64_t out = layer.integer(0, 0, where()), width = layer.integer(1, 0, where());
    const std::int64_t height = layer.integer(11, width, where());
    const std::int64_t weights = layer.integer(6, 0, where());
    check(out > 0 && width > 0 && width < 64 && height > 0 && height < 64 &&
              weights % (out * width * height) == 0,
          where(), "layer ", layer.name, ": ", weights, " weights for ", out, " outputs of ",
          height, " x ", width);
    LayerWeights result;
    result.weight = tagged({out, weights / (out * width * height), height, width}, layer);
    if (layer.integer(5, 0, where()) != 0) result.bias = plain({out});
    return result;
  }

  LayerWeights prelu(const Layer& layer) {
    return {true, plain({layer.integer(0, 0, where())}), {}};
  }

  void expect_end() const {
    check(reader_.done(), where(), reader_.remaining(), " bytes are left after the last layer");
  }

 private:
  const std::string& where() const { return reader_.where(); }

  AnyTensor tagged(const Shape& shape, const Layer& layer) {
    const std::uint32_t tag = reader_.u32();
    if (tag == 0) return plain(shape);
    check(tag == 0x01306b47, where(), "layer ", layer.name,
          ": only fp32 and fp16 weights are supported, the tag is ", tag);
    AnyTensor tensor = take(io::StoredType::f16, shape);
    reader_.take(shape.numel() % 2 == 0 ? 0 : 2);
    return tensor;
  }
  AnyTensor plain(const Shape& shape) { return take(io::StoredType::f32, shape); }

  AnyTensor take(io::StoredType type, const Shape& shape) {
    const Bytes data = reader_.take(static_cast<std::uint64_t>(shape.numel()) * io::size_of(type));
    budget_.charge(data.size(), where());
    return io::decode(type, shape, data);
  }

  io::ByteReader reader_;
  MemoryBudget& budget_;
};

}  // namespace detail

// The layers of a .param file.
inline std::vector<Layer> parse_param(Bytes param, const std::string& file, const Limits& limits) {
  std::string_view rest = io::as_text(param);
  const auto next_line = [&] {  // the last one may lack its line feed
    const auto end = std::min(rest.find('\n'), rest.size());
    const auto line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return line;
  };
  check(detail::Words(next_line()).next() == "7767517", file,
        "is not an ncnn .param file in text form");
  const std::uint64_t count = detail::Words(next_line()).count(file);
  check(count <= limits.graph_nodes, file, count, " layers");
  std::vector<Layer> layers;
  for (std::uint64_t i = 0; i < count; ++i)
    layers.push_back(detail::parse_layer(next_line(), file));
  return layers;
}

namespace detail {

// SRVGGNetCompact: convolutions and PReLUs in turn are body.0, body.1, ...
inline void name_srvgg(std::vector<LayerWeights>& layers, std::vector<NamedTensor>& out) {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    out.emplace_back(str("body.", i, ".weight"), std::move(layers[i].weight));
    if (layers[i].bias.defined()) out.emplace_back(str("body.", i, ".bias"), layers[i].bias);
  }
}

// RRDBNet: the convolutions in the order of the computation, which is that of its state_dict.
inline void name_rrdbnet(std::vector<LayerWeights>& layers, std::vector<NamedTensor>& out,
                         const std::string& file) {
  constexpr std::size_t per_block = 15, outside = 6;
  check(layers.size() > outside && (layers.size() - outside) % per_block == 0, file, "has ",
        layers.size(), " convolutions, an RRDBNet has 15 per block and 6 others");
  RrdbNetOptions net;
  net.num_block = static_cast<std::int64_t>((layers.size() - outside) / per_block);
  const auto names = expected_tensors(net);  // weight, bias, weight, bias, ...
  for (std::size_t i = 0; i < layers.size(); ++i) {
    out.emplace_back(names[2 * i].name, std::move(layers[i].weight));
    if (layers[i].bias.defined()) out.emplace_back(names[2 * i + 1].name, layers[i].bias);
  }
}

}  // namespace detail
}  // namespace ncnn

// `file` names the .param file, `bin_file` the .bin file.
inline Checkpoint read_ncnn(Bytes param, Bytes bin, const std::string& file,
                            const std::string& bin_file, const Limits& limits) {
  MemoryBudget budget(limits, bin.size());
  ncnn::detail::BinReader reader(bin, bin_file, budget);
  std::vector<ncnn::detail::LayerWeights> layers;
  bool has_slopes = false;
  for (const ncnn::Layer& layer : ncnn::parse_param(param, file, limits)) {
    if (layer.type == "Convolution") {
      layers.push_back(reader.convolution(layer));
    } else if (layer.type == "PReLU") {
      layers.push_back(reader.prelu(layer));
      has_slopes = true;
    } else {
      check(ncnn::detail::has_no_weights(layer.type), file, "layer ", layer.name, " of type ",
            layer.type, " is not supported");
    }
  }
  reader.expect_end();
  Checkpoint out;
  out.file = file;
  out.format = "ncnn";
  if (has_slopes)
    ncnn::detail::name_srvgg(layers, out.tensors);
  else
    ncnn::detail::name_rrdbnet(layers, out.tensors, file);
  return out;
}

}  // namespace mien::weights
