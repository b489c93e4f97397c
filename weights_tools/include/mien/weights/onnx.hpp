#pragma once
// EfficientNet from ONNX. Exporters fold batch norm into the convolutions and give those generated
// names ("onnx::Conv_1227"), so that convolutions are told by their order in the graph, which is
// that of the computation. The result has <conv>.weight and <conv>.bias under timm's names.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/weights/architecture.hpp>
#include <mien/weights/checkpoint.hpp>
#include <mien/weights/onnx_graph.hpp>

namespace mien::weights {

namespace onnx::detail {

// A matrix with rows and columns swapped.
inline AnyTensor transposed(const AnyTensor& matrix) {
  return with_dtype(matrix.dtype(), [&](auto t) -> AnyTensor {
    using T = typename decltype(t)::type;
    const Shape& s = matrix.shape();
    return matrix.get<T>().as_strided({s[1], s[0]}, {1, s[1]}).clone();
  });
}

// Whether a convolution, or a Pad before it, pads as TensorFlow's SAME does: asymmetrically.
inline bool pads_same(const Node& node) {
  if (node.type == "Pad") return true;
  if (node.type != "Conv") return false;
  const auto automatic = node.texts.find("auto_pad");
  if (automatic != node.texts.end() && automatic->second == "SAME_UPPER") return true;
  const auto pads = node.integers.find("pads");  // top, left, bottom, right
  return pads != node.integers.end() && pads->second.size() == 4 &&
         (pads->second[0] != pads->second[2] || pads->second[1] != pads->second[3]);
}

class EfficientNetReader {
 public:
  explicit EfficientNetReader(const Graph& graph) : graph_(graph) {}

  Checkpoint read() {
    Checkpoint out;
    out.file = graph_.file();
    out.format = "onnx";
    bool same = false, folded = true;
    for (const Node& node : graph_.nodes()) {
      same |= pads_same(node);
      folded &= node.type != "BatchNormalization";
      if (node.type == "Conv") convs_.push_back(&node);
      if (node.type == "Gemm" || node.type == "MatMul") linear_ = &node;
    }
    out.metadata["padding"] = same ? "same" : "symmetric";
    if (graph_.input_size() > 0) out.metadata["input_size"] = std::to_string(graph_.input_size());
    if (folded) {
      out.metadata["folded_bn"] = "true";
      name_convolutions(out);
      name_classifier(out);
    } else {
      keep_names(out);
    }
    return out;
  }

 private:
  // The constant that is input `i` of a node.
  std::string_view input(const Node& node, std::size_t i) const {
    const auto name = i < node.inputs.size() ? graph_.constant_name(node.inputs[i]) : "";
    check(!name.empty(), graph_.file(), "a ", node.type, " node whose weights are not constant");
    return name;
  }

  // The bias of a Conv or Gemm; exporters leave out biases that are all zero.
  AnyTensor bias(const Node& node, std::int64_t outputs) const {
    if (node.inputs.size() > 2) return graph_.tensor(input(node, 2));
    return Tensor<float>::zeros({outputs});
  }

  void name_convolutions(Checkpoint& out) const {
    const auto known = matching_variant();
    for (std::size_t i = 0; i < convs_.size(); ++i) {
      const Node& conv = *convs_[i];
      AnyTensor weight = graph_.tensor(input(conv, 1));
      check(weight.shape() == known[i].shape, graph_.file(), "convolution ", i, ": expected ",
            known[i].shape, " for ", known[i].name, ", got ", weight.shape());
      out.tensors.emplace_back(known[i].name + ".weight", std::move(weight));
      out.tensors.emplace_back(known[i].name + ".bias", bias(conv, known[i].shape[0]));
    }
  }

  // B0 to B7 by the number of convolutions and the shape of the last.
  std::vector<EfficientNetConv> matching_variant() const {
    for (int variant = 0; variant < 8; ++variant) {
      auto known = efficientnet_convs({.variant = variant});
      if (known.size() != convs_.size()) continue;
      if (graph_.tensor(input(*convs_.back(), 1)).shape() == known.back().shape) return known;
    }
    fail(graph_.file(), str("its ", convs_.size(), " convolutions are those of no EfficientNet"));
  }

  // The last Gemm, or MatMul with an Add after it; none in a network without classifier.
  void name_classifier(Checkpoint& out) const {
    if (linear_ == nullptr) return;
    AnyTensor weight = graph_.tensor(input(*linear_, 1));
    check(weight.shape().rank() == 2, graph_.file(), "a classifier of shape ", weight.shape());
    const auto flag = linear_->integers.find("transB");
    const bool is_linear_layout =
        flag != linear_->integers.end() && flag->second == std::vector<std::uint64_t>{1};
    if (!is_linear_layout) weight = transposed(weight);
    const std::int64_t outputs = weight.shape()[0];
    out.tensors.emplace_back("classifier.weight", std::move(weight));
    out.tensors.emplace_back(
        "classifier.bias", linear_->type == "Gemm" ? bias(*linear_, outputs) : added_bias(outputs));
  }

  // What is added to the output of a MatMul.
  AnyTensor added_bias(std::int64_t outputs) const {
    for (const Node& node : graph_.nodes()) {
      if (node.type != "Add" || node.inputs.size() != 2 || linear_->outputs.empty()) continue;
      for (std::size_t i = 0; i < 2; ++i) {
        const auto name = graph_.constant_name(node.inputs[1 - i]);
        if (node.inputs[i] == linear_->outputs[0] && !name.empty()) return graph_.tensor(name);
      }
    }
    return Tensor<float>::zeros({outputs});
  }

  // A graph with its batch norms keeps the parameters' names.
  void keep_names(Checkpoint& out) const {
    std::set<std::string_view> seen;
    for (const Node& node : graph_.nodes()) {
      const bool has_weights = node.type == "Conv" || node.type == "BatchNormalization" ||
                               node.type == "Gemm" || node.type == "MatMul";
      for (std::size_t i = 1; has_weights && i < node.inputs.size(); ++i) {
        const auto name = graph_.constant_name(node.inputs[i]);
        if (!name.empty() && seen.insert(name).second)
          out.tensors.emplace_back(name, graph_.tensor(name));
      }
    }
  }

  const Graph& graph_;
  std::vector<const Node*> convs_;
  const Node* linear_ = nullptr;
};

}  // namespace onnx::detail

inline Checkpoint read_onnx(Bytes data, const std::string& file, const Limits& limits) {
  MemoryBudget budget(limits, data.size());
  const onnx::Graph graph(data, file, limits, budget);
  return onnx::detail::EfficientNetReader(graph).read();
}

}  // namespace mien::weights
