#pragma once
// What a model consists of: a row per layer with its output shape, parameters and cost.

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <mien/autograd/grad_mode.hpp>
#include <mien/nn/module.hpp>

namespace mien::nn {

struct SummaryRow {
  std::string name;  // path of the layer in the model, "blocks.0.0.conv_dw"
  Shape output;
  std::int64_t parameters = 0;
  std::int64_t macs = 0;  // multiply-accumulates of one forward pass
};

struct Summary {
  std::vector<SummaryRow> rows;  // in the order in which layers ran
  std::int64_t parameters = 0, macs = 0;
};

// Runs `model` once on zeros of shape `input`, in evaluation mode without recording.
template <FloatElement T, class Model>
Summary summarize(Model& model, const Shape& input) {
  const bool training = model.training();
  model.eval();
  std::vector<detail::Observation> seen;
  detail::observations() = &seen;
  try {
    const NoGrad no_grad;
    model.forward(Tensor<T>::zeros(input));
  } catch (...) {
    detail::observations() = nullptr;
    model.train(training);
    throw;
  }
  detail::observations() = nullptr;
  model.train(training);

  Summary summary;
  const Parts<T> all = model.all_parts();
  for (const auto& observation : seen) {
    SummaryRow row{"", observation.output, 0, observation.macs};
    for (const auto& [name, module] : all.modules)
      if (module == observation.module) {
        row.name = name;
        row.parameters = module->num_parameters();
      }
    summary.macs += row.macs;
    summary.rows.push_back(std::move(row));
  }
  summary.parameters = model.num_parameters();
  return summary;
}

inline std::string to_string(const Summary& summary) {
  std::size_t name_width = 5, shape_width = 6;
  for (const auto& row : summary.rows) {
    name_width = std::max(name_width, row.name.size());
    shape_width = std::max(shape_width, to_string(row.output).size());
  }
  std::string text;
  const auto line = [&](const std::string& name, const std::string& shape,
                        const std::string& parameters, const std::string& macs) {
    char buffer[512];
    std::snprintf(buffer, sizeof buffer, "%-*s  %-*s  %12s  %16s\n", static_cast<int>(name_width),
                  name.c_str(), static_cast<int>(shape_width), shape.c_str(), parameters.c_str(),
                  macs.c_str());
    text += buffer;
  };
  line("layer", "output", "parameters", "MACs");
  for (const auto& row : summary.rows)
    line(row.name, to_string(row.output), std::to_string(row.parameters), std::to_string(row.macs));
  line("total", "", std::to_string(summary.parameters), std::to_string(summary.macs));
  return text;
}

}  // namespace mien::nn
