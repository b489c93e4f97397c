#pragma once
// Elements of x picked by index along one dimension, one by one (gather) or as whole slices
// (index_select). The gradient of an element picked twice is the sum of both.

#include <string_view>

#include <mien/core/index.hpp>
#include <mien/cpu/gather.hpp>
#include <mien/ops/op.hpp>

namespace mien {

namespace ops {
struct Gather {
  static constexpr std::string_view name = "gather";
  Tensor<std::int64_t> index = {};  // dense
  int dim = 0;
  bool by_rows = false;  // index (count): whole slices; else of the result's shape

  Shape shape(std::span<const Shape> in) const {
    const Shape& x = in[0];
    wrap_dim(dim, x.rank(), name);
    Shape y = by_rows ? x : index.shape();
    if (by_rows) {
      check(index.rank() == 1, name, "expected an index of rank 1, got shape ", index.shape());
      y[dim] = index.numel();
    }
    Shape others = x;
    if (y.rank() == x.rank()) others[dim] = y[dim];
    check(others == y, name, "x has shape ", x, ", the index ", index.shape(), " along dimension ",
          dim);
    for (std::int64_t i = 0; i < index.numel(); ++i)
      check(index.data()[i] >= 0 && index.data()[i] < x[dim], name, "index ", index.data()[i],
            " in dimension ", dim, " of shape ", x);
    return y;
  }

  template <class T>
  Tensor<T> reference(Inputs<T> in) const {
    const Tensor<T>& x = in[0];
    Tensor<T> y(output_shape(x.shape()));
    each_index(y.shape(), [&](const Shape& at) {
      Shape source = at;
      source[dim] = index.data()[by_rows ? at[dim] : offset_of(at, index.strides())];
      y.mutable_data()[offset_of(at, y.strides())] = x.data()[offset_of(source, x.strides())];
    });
    return y;
  }

  template <class T>
  Tensor<T> forward(Context<T>&, Inputs<T> in) {
    const Tensor<T>& x = in[0];
    Tensor<T> y(output_shape(x.shape()), x.device());
    with_device(x.device(), [&](auto device) {
      kernels::gather(device, y.mutable_data(), x.data(), index.data(), params(x.shape()));
    });
    return y;
  }

  template <class T>
  Gradients<T> backward(const Context<T>& ctx, const Tensor<T>& dy) const {
    const auto dx = Tensor<Compute<T>>::zeros(ctx.shape(0), dy.device());
    with_device(dy.device(), [&](auto device) {
      kernels::gather_grad(device, dx.mutable_data(), dy.data(), index.data(),
                           params(ctx.shape(0)));
    });
    return {dx.template to<T>()};
  }

  static std::vector<Sample<Gather>> samples() {
    using Index = Tensor<std::int64_t>;
    return {{"rows",
             {.index = Index::from({4}, {2, 0, 2, 1}), .by_rows = true},
             {{{3, 5}}},
             "torch.index_select(x[0], 0, torch.tensor([2, 0, 2, 1]))"},
            {"channels",
             {.index = Index::from({3}, {4, 1, 1}), .dim = -1, .by_rows = true},
             {{{2, 3, 5}}},
             "torch.index_select(x[0], -1, torch.tensor([4, 1, 1]))"},
            {"one_per_row",
             {.index = Index::from({3, 1}, {4, 0, 2}), .dim = 1},
             {{{3, 5}}},
             "torch.gather(x[0], 1, torch.tensor([[4], [0], [2]]))"},
            {"middle",
             {.index = Index::from({2, 2, 3}, {0, 3, 3, 0, 1, 2, 2, 2, 2, 1, 0, 2}), .dim = 1},
             {{{2, 4, 3}}},
             "torch.gather(x[0], 1, torch.tensor("
             "[[[0, 3, 3], [0, 1, 2]], [[2, 2, 2], [1, 0, 2]]]))"}};
  }

 private:
  Shape output_shape(const Shape& x) const {
    Shape y = x;
    y[dim] = by_rows ? index.numel() : index.dim(dim);
    return y;
  }

  kernels::GatherParams params(const Shape& x) const {
    const int at = wrap_dim(dim, x.rank(), name);
    kernels::GatherParams p{.size = x[at], .count = output_shape(x)[at], .by_rows = by_rows};
    for (int d = 0; d < x.rank(); ++d)
      if (d != at) (d < at ? p.pre : p.post) *= x[d];
    return p;
  }
};
}  // namespace ops

// y[i, k, j] = x[i, index[i, k, j], j] for dim 1 of 3, and likewise for others. The shape of the
// index, and of the result, is that of x outside dim.
template <FloatElement T>
Tensor<T> gather(const Tensor<T>& x, int dim, const Tensor<std::int64_t>& index) {
  return apply(ops::Gather{.index = index.dense(), .dim = dim}, {x});
}

// The slices of x along dim that index (count) names, in its order.
template <FloatElement T>
Tensor<T> index_select(const Tensor<T>& x, int dim, const Tensor<std::int64_t>& index) {
  return apply(ops::Gather{.index = index.dense(), .dim = dim, .by_rows = true}, {x});
}

}  // namespace mien
