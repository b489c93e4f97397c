#pragma once
// Module: a piece of a network with named parameters, buffers and children.
//
//   template <class T>
//   class Mlp : public nn::Module<T> {
//    public:
//     nn::Linear<T> fc1{{.in = 2, .out = 16}}, fc2{{.in = 16, .out = 1}};
//     Tensor<T> forward(const Tensor<T>& x) const { return fc2.forward(silu(fc1.forward(x))); }
//     void parts(nn::Parts<T>& p) override { p.child("fc1", fc1).child("fc2", fc2); }
//   };
//
// parts() is the one place that names things: state dicts, optimizers, summaries, train() and
// freezing all follow from it. Copying a module shares its tensors.

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/autograd/engine.hpp>
#include <mien/nn/state_dict.hpp>

namespace mien::nn {

template <FloatElement T>
class Module;

// Parameters are trained. Buffers (running statistics) and counters are not. Parameters and buffers
// are kept in Compute<T>: float in a network of 16-bit activations.
enum class Kind { parameter, buffer, counter };

// One entry of a module's state dict: a tensor, or for counters a number.
template <FloatElement T>
struct Part {
  std::string name;
  Kind kind;
  Layout layout = Layout::same;
  Tensor<Compute<T>>* tensor = nullptr;
  std::int64_t* count = nullptr;

  Shape shape_in_torch() const {
    return kind == Kind::counter ? Shape{} : torch_shape(tensor->shape(), layout);
  }
  // A copy in PyTorch's layout.
  AnyTensor value() const {
    if (kind == Kind::counter) return Tensor<std::int64_t>::scalar(*count);
    return to_torch_layout(*tensor, layout);
  }
  void assign(const AnyTensor& value) const {
    if (kind == Kind::counter)
      *count = value.template as<std::int64_t>().item();
    else
      tensor->copy_from(from_torch_layout(value.template as<Compute<T>>(), layout));
  }
};

// What a module consists of, in the order of its state dict. An undefined tensor (no bias) is left
// out.
template <FloatElement T>
class Parts {
 public:
  Parts& parameter(std::string_view name, Tensor<Compute<T>>& tensor,
                   Layout layout = Layout::same) {
    if (tensor.defined()) entries.push_back({path(name), Kind::parameter, layout, &tensor});
    return *this;
  }
  Parts& buffer(std::string_view name, Tensor<Compute<T>>& tensor) {
    if (tensor.defined()) entries.push_back({path(name), Kind::buffer, Layout::same, &tensor});
    return *this;
  }
  Parts& counter(std::string_view name, std::int64_t& count) {
    entries.push_back({path(name), Kind::counter, Layout::same, nullptr, &count});
    return *this;
  }
  Parts& child(std::string_view name, Module<T>& module) {
    const std::size_t outer = prefix_.size();
    prefix_ += name;
    modules.emplace_back(prefix_, &module);
    prefix_ += '.';
    module.parts(*this);
    prefix_.resize(outer);
    return *this;
  }
  // Children named by their index: "blocks.0", "blocks.1", ..., or "0", "1", ... without a name.
  template <class List>
  Parts& children(std::string_view name, List& list) {
    std::size_t i = 0;
    for (auto& module : list)
      child(name.empty() ? std::to_string(i) : str(name, '.', i), module), ++i;
    return *this;
  }

  std::vector<Part<T>> entries;
  std::vector<std::pair<std::string, Module<T>*>> modules;  // depth first, without the root

 private:
  std::string path(std::string_view name) const { return prefix_ + std::string(name); }
  std::string prefix_;
};

// What load_state_dict() found to differ.
struct LoadReport {
  std::vector<std::string> missing;     // wanted by the module, not in the dict
  std::vector<std::string> unexpected;  // in the dict, not in the module
  std::vector<std::string> mismatched;  // "name: expected (..), got (..)"
  bool complete() const { return missing.empty() && unexpected.empty() && mismatched.empty(); }
};

inline std::string to_string(const LoadReport& report) {
  const auto list = [](std::string_view what, const std::vector<std::string>& names) {
    if (names.empty()) return std::string();
    std::string text = str(names.size(), ' ', what, ": ");
    for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 4); ++i)
      text += (i > 0 ? ", " : "") + names[i];
    return text + (names.size() > 4 ? ", ...; " : "; ");
  };
  std::string text = list("missing", report.missing) + list("unexpected", report.unexpected) +
                     list("of another shape", report.mismatched);
  if (!text.empty()) text.resize(text.size() - 2);
  return text;
}

namespace detail {

struct Observation {
  const void* module;
  Shape output;
  std::int64_t macs;
};

// Where layers report to while a summary is made; null otherwise. One per thread.
inline std::vector<Observation>*& observations() {
  static thread_local std::vector<Observation>* list = nullptr;
  return list;
}

}  // namespace detail

template <FloatElement T>
class Module {
 public:
  virtual ~Module() = default;

  // Names the parameters, buffers and children.
  virtual void parts(Parts<T>& p) = 0;

  Parts<T> all_parts() {
    Parts<T> all;
    parts(all);
    return all;
  }

  // Parameters with their names, in the order of the state dict.
  std::vector<Part<T>> named_parameters() {
    std::vector<Part<T>> all = all_parts().entries;
    std::erase_if(all, [](const Part<T>& part) { return part.kind != Kind::parameter; });
    return all;
  }
  std::vector<Tensor<Compute<T>>> parameters() {
    std::vector<Tensor<Compute<T>>> all;
    for (const auto& part : named_parameters()) all.push_back(*part.tensor);
    return all;
  }
  std::int64_t num_parameters() {
    std::int64_t count = 0;
    for (const auto& part : named_parameters()) count += part.tensor->numel();
    return count;
  }

  // Training mode: batch norm uses the batch's statistics, dropout drops. New modules train.
  bool training() const { return training_; }
  Module& train(bool on = true) {
    training_ = on;
    for (const auto& [name, module] : all_parts().modules) module->training_ = on;
    return *this;
  }
  Module& eval() { return train(false); }

  // Marks every parameter as wanting a gradient, or not (freezing).
  Module& set_requires_grad(bool on = true) {
    for (const auto& part : named_parameters()) part.tensor->set_requires_grad(on);
    return *this;
  }
  void zero_grad() {
    for (const auto& part : named_parameters()) part.tensor->zero_grad();
  }

  // Copies of all tensors and counters, in PyTorch's layouts.
  StateDict state_dict() {
    StateDict dict;
    for (const auto& part : all_parts().entries) dict.emplace_back(part.name, part.value());
    return dict;
  }

  // Copies what fits into the module, converting element types. With `strict`, throws before
  // anything is changed where names or shapes differ. Counters may be missing.
  LoadReport load_state_dict(const StateDict& dict, bool strict = true) {
    const Parts<T> all = all_parts();
    std::map<std::string_view, const AnyTensor*> given;
    for (const auto& [name, value] : dict) given.emplace(name, &value);
    LoadReport report;
    std::vector<std::pair<const Part<T>*, const AnyTensor*>> fits;
    for (const auto& part : all.entries) {
      const auto found = given.find(part.name);
      if (found == given.end()) {
        if (part.kind != Kind::counter) report.missing.push_back(part.name);
        continue;
      }
      const Shape expected = part.shape_in_torch(), got = found->second->shape();
      if (got == expected)
        fits.emplace_back(&part, found->second);
      else
        report.mismatched.push_back(str(part.name, ": expected ", expected, ", got ", got));
      given.erase(found);
    }
    for (const auto& [name, value] : given) report.unexpected.emplace_back(name);
    check(!strict || report.complete(), "load_state_dict", report);
    for (const auto& [part, value] : fits) part->assign(*value);
    return report;
  }

  // For a summary in progress on this thread: this layer gave `output` at a cost of `macs`
  // multiply-accumulates. Leaf layers call it at the end of forward().
  void observe(const Shape& output, std::int64_t macs) const {
    if (auto* list = detail::observations()) list->push_back({this, output, macs});
  }

 protected:
  Module() = default;
  Module(const Module&) = default;
  Module& operator=(const Module&) = default;

 private:
  bool training_ = true;
};

}  // namespace mien::nn
