#pragma once
// The training that tests/golden/training/make_training.py does in PyTorch, done in mien.

#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/loss/affect.hpp>
#include <mien/models/efficientnet.hpp>
#include <mien/ops/cast.hpp>
#include <mien/optim/adam.hpp>
#include <mien/optim/sam.hpp>

namespace mien::test {

inline constexpr std::int64_t reference_steps = 20, reference_batch = 8, reference_classes = 8;

// Weights, as drawn there, of a network in training.
template <class T>
models::EfficientNet<T> reference_network() {
  models::EfficientNet<T> net({.num_classes = reference_classes + 2, .drop_path = 0, .dropout = 0});
  const Generator start(7);
  std::uint64_t i = 0;
  for (const auto& part : net.named_parameters()) {
    const Shape torch = part.shape_in_torch();
    const std::int64_t fan_in = torch.numel() / torch[0];
    double bound = std::sqrt(3.0 / static_cast<double>(fan_in)), center = 0;
    if (torch.rank() == 1) {
      bound = 0.25;
      center = part.name.ends_with("weight") ? 1 : 0;
    }
    Generator stream = start.stream(i++);
    part.tensor->copy_from(
        rand<double>(part.tensor->shape(), stream, center - bound, center + bound)
            .template to<Compute<T>>());
  }
  net.set_requires_grad();
  return net;
}

template <class T>
struct ReferenceBatch {
  Tensor<T> images;
  loss::AffectLabels<Compute<T>> labels;
};

template <class T>
ReferenceBatch<T> reference_batch_of(std::int64_t step, std::int64_t size) {
  Generator random = Generator(7).stream(static_cast<std::uint64_t>(step), 1);
  ReferenceBatch<T> batch;
  batch.images = rand<double>({reference_batch, size, size, 3}, random, -2, 2).template to<T>();
  batch.labels.expression =
      rand<double>({reference_batch}, random, 0, double{reference_classes}).to<std::int64_t>();
  const auto affect = rand<double>({reference_batch, 2}, random, -1, 1);
  batch.labels.valence = affect.as_strided({reference_batch}, {2}).template to<Compute<T>>();
  batch.labels.arousal = affect.as_strided({reference_batch}, {2}, 1).template to<Compute<T>>();
  return batch;
}

struct ReferenceRun {
  std::vector<double> losses;
  std::vector<std::pair<std::string, Tensor<double>>> gradients, final;  // in PyTorch's layouts
};

// `which`: adam, sam_both, sam_first or sam_running. T: of the activations; the loss is Compute<T>.
template <class T>
ReferenceRun reference_training(std::string_view which, std::int64_t size) {
  auto net = reference_network<T>();
  optim::Adam<Compute<T>> adam(net.parameters(), {.lr = 1e-3});
  optim::SamOptions options{.rho = 0.05};
  if (which == "sam_first") options.batch_norm = optim::SamBatchNorm::first;
  if (which == "sam_running") options.batch_norm = optim::SamBatchNorm::running;
  optim::Sam<T> sam(adam, net, options);
  const auto weight =
      Tensor<double>::from({reference_classes}, {1.5, 4.0, 3.5, 2.5, 0.75, 1.0, 1.75, 2.0});
  const loss::AffectLoss loss_of{.cross_entropy = {.weight = weight}, .epsilon = 0};
  ReferenceRun run;
  for (std::int64_t step = 0; step < reference_steps; ++step) {
    const auto batch = reference_batch_of<T>(step, size);
    Generator unused;
    const auto pass = [&] {
      const auto loss =
          loss_of(cast<Compute<T>>(net.forward(batch.images, unused)), batch.labels).total;
      loss.backward();
      if (step == 0 && run.gradients.empty())
        for (const auto& part : net.named_parameters())
          run.gradients.emplace_back(
              part.name,
              nn::to_torch_layout(part.tensor->grad(), part.layout).template to<double>());
      return double{loss.item()};
    };
    if (which == "adam") {
      adam.zero_grad();
      run.losses.push_back(pass());
      adam.step();
    } else {
      run.losses.push_back(sam.step(unused, pass));
    }
  }
  for (const auto& part : net.all_parts().entries)
    if (part.kind != nn::Kind::counter)
      run.final.emplace_back(part.name, part.value().template as<double>());
  return run;
}

}  // namespace mien::test
