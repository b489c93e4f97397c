#pragma once
// Dropout: each element is 0 with probability p, else x / (1 - p). Srivastava et al.: "Dropout: a
// simple way to prevent neural networks from overfitting", JMLR 2014. The mask is not stored:
// backward draws it again.

#include <mien/cpu/drop.hpp>
#include <mien/ops/op.hpp>

namespace mien {

namespace ops {

// Drops elements, or (per_sample) whole slices of the first dimension.
struct Drop {
  static constexpr std::string_view name = "dropout";
  double probability = 0.5;
  bool per_sample = false;
  std::uint64_t seed = 0, draw = 0;  // of the Generator

  Shape shape(std::span<const Shape> in) const {
    check(probability >= 0 && probability <= 1, name, "expected a probability from 0 to 1, got ",
          probability);
    check(!per_sample || in[0].rank() > 0, name, "samples of a tensor without dimensions");
    return in[0];
  }

  template <class T>
  Tensor<T> reference(Inputs<T> in) const {
    const auto p = params(in[0].shape());
    Tensor<T> y(in[0].shape());
    for (std::int64_t i = 0; i < y.numel(); ++i) {
      const std::int64_t group = i / p.size;
      const double kept = p.drops(p.words(group / 4), group) ? 0 : 1 / (1 - probability);
      y.mutable_data()[i] = static_cast<T>(in[0].data()[i] * kept);
    }
    return y;
  }

  template <class T>
  Tensor<T> forward(Context<T>&, Inputs<T> in) {
    return dropped(in[0]);
  }

  template <class T>
  Gradients<T> backward(const Context<T>&, const Tensor<T>& dy) const {
    return {dropped(dy)};
  }

  static std::vector<Sample<Drop>> samples() {
    return {{"elements", {.probability = 0.3, .seed = 7, .draw = 2}, {{{3, 5, 7}}}, ""},
            {"samples",
             {.probability = 0.5, .per_sample = true, .seed = 7, .draw = 5},
             {{{9, 3, 5}}},
             ""}};
  }

 private:
  kernels::DropParams params(const Shape& x) const {
    const std::int64_t elements = x.numel();
    const std::int64_t groups = per_sample ? x[0] : elements;
    return {groups, groups > 0 ? elements / groups : 0, probability, seed, draw};
  }

  template <class T>
  Tensor<T> dropped(const Tensor<T>& x) const {
    Tensor<T> y(x.shape(), x.device());
    with_device(x.device(), [&](auto device) {
      kernels::drop(device, y.mutable_data(), x.data(), params(x.shape()));
    });
    return y;
  }
};

}  // namespace ops

// For training; evaluation leaves it out. Takes one draw of the generator where p > 0. Copies of
// the generator repeat the mask.
template <FloatElement T>
Tensor<T> dropout(const Tensor<T>& x, double p, Generator& generator) {
  if (p == 0) return x;
  return apply(ops::Drop{.probability = p, .seed = generator.seed(), .draw = generator.next_draw()},
               {x});
}

}  // namespace mien
