#pragma once
// ONNX models, as much as weights need: nodes in topological order and constant tensors
// (onnx/onnx.proto; field numbers beside the code).

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <mien/weights/checkpoint.hpp>
#include <mien/weights/protobuf.hpp>

namespace mien::weights::onnx {

// A constant as the file has it: elements are decoded on request.
struct Constant {
  std::vector<std::uint64_t> dims;
  std::uint64_t type = 0;
  Bytes raw;                           // little-endian elements
  std::vector<Bytes> floats;           // packed 4-byte elements, in pieces
  std::vector<Bytes> doubles;          // packed 8-byte elements, in pieces
  std::vector<std::uint64_t> numbers;  // other types
  bool external = false;
};

struct Node {
  std::string_view type;
  std::vector<std::string_view> inputs, outputs;
  std::map<std::string_view, std::vector<std::uint64_t>> integers;  // attributes
  std::map<std::string_view, std::string_view> texts;
};

class Graph {
 public:
  Graph(Bytes model, std::string file, const Limits& limits, MemoryBudget& budget)
      : file_(std::move(file)), limits_(limits), budget_(budget) {
    ProtoReader reader(model, file_);
    bool found = false;
    while (reader.next()) {
      if (reader.field() != 7) continue;  // ModelProto.graph
      check(!found, file_, "has more than one graph");
      found = true;
      read_graph(reader.bytes());
    }
    check(found, file_, "is not an ONNX model: it has no graph");
  }

  const std::vector<Node>& nodes() const { return nodes_; }
  // Height of the input, 0 where it is open.
  std::uint64_t input_size() const { return input_size_; }

  // The name under which a value's constant is stored, behind Identity nodes; empty where the value
  // is computed.
  std::string_view constant_name(std::string_view value) const {
    for (std::size_t step = 0; step <= aliases_.size(); ++step) {
      const auto alias = aliases_.find(value);
      if (alias == aliases_.end()) return constants_.contains(value) ? value : std::string_view{};
      value = alias->second;
    }
    fail(file_, str("Identity nodes form a circle at ", value));
  }

  // A constant as a tensor.
  AnyTensor tensor(std::string_view name) const {
    const std::string where = str(file_, ": tensor ", name);
    const auto found = constants_.find(name);
    check(found != constants_.end(), where, "is missing");
    return decode(found->second, where);
  }

  const std::string& file() const { return file_; }

 private:
  void read_graph(Bytes message) {
    ProtoReader reader(message, str(file_, ": graph"));
    while (reader.next()) {
      if (reader.field() == 1) read_node(reader.bytes());
      if (reader.field() == 5) read_constant(reader.bytes(), {});
      if (reader.field() == 11 && input_size_ == 0) read_input(reader.bytes());
    }
  }

  void read_node(Bytes message) {
    check(nodes_.size() < limits_.graph_nodes, file_, "more than ", limits_.graph_nodes, " nodes");
    Node node;
    Bytes value;
    ProtoReader reader(message, str(file_, ": node"));
    while (reader.next()) {
      if (reader.field() == 1) node.inputs.push_back(reader.text());
      if (reader.field() == 2) node.outputs.push_back(reader.text());
      if (reader.field() == 4) node.type = reader.text();
      if (reader.field() == 5) read_attribute(reader.bytes(), node, value);
    }
    if (node.type == "Identity" && node.inputs.size() == 1 && node.outputs.size() == 1)
      aliases_.emplace(node.outputs[0], node.inputs[0]);
    if (node.type == "Constant" && node.outputs.size() == 1 && !value.empty())
      read_constant(value, node.outputs[0]);
    nodes_.push_back(std::move(node));
  }

  // AttributeProto: 1 name, 3 i, 4 s, 5 t, 8 ints.
  static void read_attribute(Bytes message, Node& node, Bytes& value) {
    ProtoReader reader(message, "ONNX attribute");
    std::string_view name;
    std::vector<std::uint64_t> integers;
    while (reader.next()) {
      if (reader.field() == 1) name = reader.text();
      if (reader.field() == 3 || reader.field() == 8)
        reader.numbers([&](std::uint64_t i) { integers.push_back(i); });
      if (reader.field() == 4) node.texts[name] = reader.text();
      if (reader.field() == 5) value = reader.bytes();
    }
    node.integers[name] = std::move(integers);
  }

  // TensorProto: 1 dims, 2 type, 4 floats, 5 int32s, 7 int64s, 8 name, 9 raw, 10 doubles,
  // 14 location. An initializer bears its own name, the value of a Constant node that of its
  // output.
  void read_constant(Bytes message, std::string_view name) {
    check(constants_.size() < limits_.tensors, file_, "more than ", limits_.tensors, " tensors");
    Constant constant;
    ProtoReader reader(message, str(file_, ": tensor ", name));
    while (reader.next()) {
      const auto append = [](auto& list) { return [&](std::uint64_t i) { list.push_back(i); }; };
      switch (reader.field()) {
        case 1:
          reader.numbers(append(constant.dims));
          break;
        case 2:
          constant.type = reader.number();
          break;
        case 4:
          constant.floats.push_back(reader.bytes());
          break;
        case 5:
        case 7:
          reader.numbers(append(constant.numbers));
          break;
        case 8:
          name = name.empty() ? reader.text() : name;
          break;
        case 9:
          constant.raw = reader.bytes();
          break;
        case 10:
          constant.doubles.push_back(reader.bytes());
          break;
        case 14:
          constant.external = reader.number() == 1;
          break;
        default:
          break;
      }
    }
    const bool added = constants_.emplace(name, std::move(constant)).second;
    check(added, file_, "two tensors are named ", name);
  }

  // ValueInfoProto.type 2 / tensor_type 1 / shape 2 / dim 1 / dim_value 1: images (n, 3, h, w).
  void read_input(Bytes message) {
    Bytes inner = message;
    for (const std::uint32_t field : {2u, 1u, 2u}) {
      ProtoReader reader(inner, str(file_, ": graph input"));
      inner = {};
      while (reader.next())
        if (reader.field() == field && reader.is_message()) inner = reader.bytes();
    }
    std::vector<std::uint64_t> dims;
    ProtoReader shape(inner, str(file_, ": graph input"));
    while (shape.next()) {
      if (shape.field() != 1) continue;
      std::uint64_t size = 0;  // stays 0 where the size has only a name
      ProtoReader dim(shape.bytes(), shape.where());
      while (dim.next())
        if (dim.field() == 1) size = dim.number();
      dims.push_back(size);
    }
    if (dims.size() == 4 && dims[1] == 3 && dims[2] == dims[3] && dims[2] < 1u << 16)
      input_size_ = dims[2];
  }

  AnyTensor decode(const Constant& constant, const std::string& where) const {
    check(!constant.external, where, "is stored in a file of its own, which is not supported");
    const io::StoredType type = stored_type(constant.type, where);
    Shape shape;
    std::uint64_t bytes = io::size_of(type);
    bool overflow = false;
    check(constant.dims.size() <= static_cast<std::size_t>(Shape::max_rank), where,
          constant.dims.size(), " dimensions");
    for (const std::uint64_t dim : constant.dims) {
      check(dim < std::uint64_t{1} << 31, where, "a dimension of ", dim);
      overflow |= __builtin_mul_overflow(bytes, dim, &bytes);
      shape.push_back(static_cast<std::int64_t>(dim));
    }
    check(!overflow, where, "shape ", shape, " overflows");
    std::vector<std::byte> pieces;
    if (constant.raw.empty()) pieces = gathered(constant, type);
    const Bytes data = constant.raw.empty() ? Bytes(pieces) : constant.raw;
    check(data.size() == bytes, where, "shape ", shape, " takes ", bytes, " bytes, there are ",
          data.size());
    budget_.charge(bytes * 4, where);
    return io::decode(type, shape, data);
  }

  // Elements that are not raw, in their stored size.
  static std::vector<std::byte> gathered(const Constant& constant, io::StoredType type) {
    std::vector<std::byte> data;
    for (const auto* list : {&constant.floats, &constant.doubles})
      for (const Bytes piece : *list) data.insert(data.end(), piece.begin(), piece.end());
    for (const std::uint64_t number : constant.numbers)
      for (std::size_t i = 0; i < io::size_of(type); ++i)
        data.push_back(static_cast<std::byte>(number >> (8 * i)));
    return data;
  }

  // TensorProto.DataType.
  static io::StoredType stored_type(std::uint64_t type, const std::string& where) {
    switch (type) {
      case 1:
        return io::StoredType::f32;
      case 2:
        return io::StoredType::u8;
      case 3:
        return io::StoredType::i8;
      case 4:
        return io::StoredType::u16;
      case 5:
        return io::StoredType::i16;
      case 6:
        return io::StoredType::i32;
      case 7:
        return io::StoredType::i64;
      case 9:
        return io::StoredType::boolean;
      case 10:
        return io::StoredType::f16;
      case 11:
        return io::StoredType::f64;
      case 12:
        return io::StoredType::u32;
      case 16:
        return io::StoredType::bf16;
      default:
        fail(where, str("element type ", type, " is not supported"));
    }
  }

  std::string file_;
  const Limits& limits_;
  MemoryBudget& budget_;
  std::vector<Node> nodes_;
  std::map<std::string_view, Constant> constants_;
  std::map<std::string_view, std::string_view> aliases_;
  std::uint64_t input_size_ = 0;
};

}  // namespace mien::weights::onnx
