#pragma once
// Exchange: what several processes tell each other that train one network together, each on its
// part of a batch; one that trains alone has none (Trainer::use_exchange). Statistics of a whole
// batch, such as the CCC, need all rows: a loss over several processes is computed on gathered
// outputs.

#include <span>

#include <mien/core/tensor.hpp>

namespace mien::train {

template <FloatElement T>
class Exchange {
 public:
  virtual ~Exchange() = default;

  virtual int processes() const = 0;
  virtual int rank() const = 0;  // of this process, from 0

  // The mean over all processes, element by element: of the flat gradients of an optimizer.
  virtual void average(std::span<T> values) = 0;

  // The rows (dimension 0) of all processes, by rank. Every process has the same number.
  virtual Tensor<T> gather(const Tensor<T>& rows) = 0;
};

}  // namespace mien::train
