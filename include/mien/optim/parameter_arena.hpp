#pragma once
// The parameters of an optimizer in one piece of memory, and their gradients in another: a step is
// then a few passes over flat arrays, and the exchange of gradients between processes one message.

#include <cstring>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include <mien/autograd/engine.hpp>
#include <mien/core/tensor.hpp>

namespace mien::optim {

// What is trained is kept in float or double; 16-bit networks have float parameters.
template <class T>
concept MasterElement = FloatElement<T> && std::is_same_v<T, Compute<T>>;

// Moves the elements of the parameters, in their order, into memory of its own, each at a multiple
// of 64 bytes; what lies between is zero. The tensors themselves stay valid, and keep the memory
// alive. A later arena of the same parameters takes them over: this one then refuses to be used.
template <MasterElement T>
class ParameterArena {
 public:
  // The elements of parameters [first, last) in every flat array: [begin, end).
  struct Run {
    std::size_t first, last;
    std::int64_t begin, end;
    std::int64_t size() const { return end - begin; }
  };

  explicit ParameterArena(std::vector<Tensor<T>> parameters) : parameters_(std::move(parameters)) {
    std::set<const Storage*> seen;
    offsets_.push_back(0);
    for (const auto& w : parameters_) {
      check(w.defined() && w.requires_grad(), "optim", "parameter ", offsets_.size() - 1,
            " of shape ", w.shape(), " does not require a gradient");
      check(w.is_contiguous() && w.offset() == 0 &&
                w.storage()->bytes() == static_cast<std::size_t>(w.numel()) * sizeof(T),
            "optim", "parameter ", offsets_.size() - 1, " of shape ", w.shape(),
            " is a view of another tensor");
      check(seen.insert(w.storage()).second, "optim", "parameter ", offsets_.size() - 1,
            " of shape ", w.shape(), " was given twice");
      offsets_.push_back(offsets_.back() + (w.numel() + alignment - 1) / alignment * alignment);
    }
    weights_ = array();
    gradients_ = array();
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      auto& w = parameters_[i];
      w.storage()->relocate(weights_.mutable_data() + offsets_[i],
                            Ref<RefCounted>(weights_.storage()));
      const auto bytes = static_cast<std::size_t>(w.numel()) * sizeof(T);
      const auto home = make_ref<Storage>(gradients_.mutable_data() + offsets_[i], bytes,
                                          Ref<RefCounted>(gradients_.storage()));
      autograd::leaf_of(w)->set_home(Tensor<T>::on(home, w.shape()));
    }
  }
  ParameterArena(const ParameterArena&) = delete;
  ParameterArena& operator=(const ParameterArena&) = delete;

  const std::vector<Tensor<T>>& parameters() const { return parameters_; }

  // Elements of each flat array.
  std::int64_t size() const { return offsets_.back(); }
  T* weights() const { return weights_.mutable_data(); }
  T* gradients() const { return gradients_.mutable_data(); }
  // Zeros, laid out like the weights: moments and the like.
  Tensor<T> array() const { return Tensor<T>::zeros({size()}); }

  bool has_gradient(std::size_t i) const { return parameters_[i].grad().defined(); }

  // Calls f(run) for the longest runs of parameters in [first, last) that have gradients and that
  // `alike(i, j)` puts together with their neighbours.
  template <class Alike, class F>
  void each_run(std::size_t first, std::size_t last, Alike&& alike, F&& f) const {
    check_ownership();
    for (std::size_t i = first; i < last;) {
      std::size_t end = i + 1;
      if (has_gradient(i)) {
        while (end < last && has_gradient(end) && alike(i, end)) ++end;
        f(run(i, end));
      }
      i = end;
    }
  }
  template <class F>
  void each_run(F&& f) const {
    each_run(
        0, parameters_.size(), [](std::size_t, std::size_t) { return true; }, f);
  }
  Run run(std::size_t first, std::size_t last) const {
    return {first, last, offsets_[first], offsets_[last]};
  }

  // To be called when weights of the run were written to: what was derived from them is no longer
  // valid.
  void mark_written(const Run& run) const {
    for (std::size_t i = run.first; i < run.last; ++i) parameters_[i].mutable_data();
  }

  void zero_grad() const {
    for (const auto& w : parameters_) w.zero_grad();
  }

 private:
  static constexpr std::int64_t alignment = 64 / static_cast<std::int64_t>(sizeof(T));

  void check_ownership() const {
    for (std::size_t i = 0; i < parameters_.size(); ++i)
      check(parameters_[i].data() == weights_.data() + offsets_[i], "optim", "parameter ", i,
            " of shape ", parameters_[i].shape(), " belongs to another optimizer since");
  }

  std::vector<Tensor<T>> parameters_;
  std::vector<std::int64_t> offsets_;  // of each parameter, and the end
  Tensor<T> weights_, gradients_;
};

}  // namespace mien::optim
