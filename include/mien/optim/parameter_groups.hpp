#pragma once
// Which parameters of a module are trained, and how: by their names.

#include <string>
#include <string_view>
#include <vector>

#include <mien/nn/module.hpp>
#include <mien/optim/optimizer.hpp>

namespace mien::optim {

// Whether `name` matches a pattern in which '*' stands for any text: "blocks.*.conv_pw.weight".
inline bool matches(std::string_view name, std::string_view pattern) {
  std::size_t n = 0, p = 0, star = std::string_view::npos, resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p, ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

// Switches gradients of the parameters whose names match on or off: freezes and thaws layers.
// Returns how many match; none at all is an error. To be called before an optimizer is made.
template <FloatElement T>
std::int64_t set_requires_grad(nn::Module<T>& module, std::string_view pattern, bool on) {
  std::int64_t count = 0;
  for (const auto& part : module.named_parameters()) {
    if (!matches(part.name, pattern)) continue;
    part.tensor->set_requires_grad(on);
    ++count;
  }
  check(count > 0, "set_requires_grad", "no parameter matches '", pattern, "'");
  return count;
}

// The parameters that require gradients.
template <FloatElement T>
std::vector<Tensor<Compute<T>>> trained_parameters(nn::Module<T>& module) {
  std::vector<Tensor<Compute<T>>> trained;
  for (const auto& w : module.parameters())
    if (w.requires_grad()) trained.push_back(w);
  return trained;
}

// The parameters that require gradients in two groups: weights, which decay as the optimizer says,
// and biases and parameters of norms (all of rank 1), which do not.
template <FloatElement T>
std::vector<ParameterGroup<Compute<T>>> decay_groups(nn::Module<T>& module) {
  ParameterGroup<Compute<T>> weights, others;
  others.weight_decay = 0;
  for (const auto& w : trained_parameters(module))
    (w.rank() > 1 ? weights : others).parameters.push_back(w);
  std::vector<ParameterGroup<Compute<T>>> groups;
  if (!weights.parameters.empty()) groups.push_back(std::move(weights));
  if (!others.parameters.empty()) groups.push_back(std::move(others));
  return groups;
}

}  // namespace mien::optim
