#pragma once
// Stochastic depth: each sample (slice of the first dimension) is 0 with probability p, else
// x / (1 - p). Huang et al.: "Deep networks with stochastic depth", ECCV 2016. Put on the residual
// branch of a block, it leaves the block out for some samples.

#include <mien/ops/dropout.hpp>

namespace mien {

// x (n, ...). For training; evaluation leaves it out. Takes one draw of the generator where p > 0.
template <FloatElement T>
Tensor<T> drop_path(const Tensor<T>& x, double p, Generator& generator) {
  if (p == 0) return x;
  return apply(ops::Drop{.probability = p,
                         .per_sample = true,
                         .seed = generator.seed(),
                         .draw = generator.next_draw()},
               {x});
}

}  // namespace mien
