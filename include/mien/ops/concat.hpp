#pragma once
// y = the inputs one behind the other along one dimension.

#include <initializer_list>

#include <mien/core/index.hpp>
#include <mien/ops/op.hpp>

namespace mien {

namespace ops {
struct Concat {
  static constexpr std::string_view name = "concat";
  static constexpr bool accepts_strides = true;
  int dim = 0;

  Shape shape(std::span<const Shape> in) const {
    check(!in.empty(), name, "no tensors");
    wrap_dim(dim, in[0].rank(), name);
    Shape y = in[0];
    y[dim] = 0;
    for (const Shape& x : in) {
      Shape others = x;
      check(x.rank() == y.rank(), name, "shapes ", in[0], " and ", x, " differ in rank");
      others[dim] = y[dim];
      check(others == y, name, "shapes ", in[0], " and ", x, " differ outside dimension ", dim);
      y[dim] += x[dim];
    }
    return y;
  }

  template <class T>
  Tensor<T> reference(Inputs<T> in) const {
    const Shape out = output_shape(in);
    Tensor<T> y(out);
    std::int64_t before = 0;
    for (const Tensor<T>& x : in) {
      each_index(x.shape(), [&](Shape at) {
        const T value = x.data()[offset_of(at, x.strides())];
        at[dim] += before;
        y.mutable_data()[offset_of(at, y.strides())] = value;
      });
      before += x.dim(dim);
    }
    return y;
  }

  template <class T>
  Tensor<T> forward(Context<T>&, Inputs<T> in) {
    const Tensor<T> y(output_shape(in), in[0].device());
    std::int64_t at = 0;
    for (const Tensor<T>& x : in) {
      part(y, at, x.dim(dim)).copy_from(x);
      at += x.dim(dim);
    }
    return y;
  }

  // Views of dy.
  template <class T>
  Gradients<T> backward(const Context<T>& ctx, const Tensor<T>& dy) const {
    Gradients<T> gradients;
    std::int64_t at = 0;
    for (int i = 0; i < ctx.num_inputs(); ++i) {
      const std::int64_t size = ctx.shape(i)[dim];
      gradients.push_back(ctx.needs(i) ? part(dy, at, size) : Tensor<T>());
      at += size;
    }
    return gradients;
  }

  static std::vector<Sample<Concat>> samples() {
    return {{"channels",
             {.dim = -1},
             {{{2, 3, 4, 5}}, {{2, 3, 4, 1}}, {{2, 3, 4, 17}}},
             "torch.cat([x[0], x[1], x[2]], dim=-1)"},
            {"rows", {}, {{{2, 3}}, {{0, 3}}, {{4, 3}}}, "torch.cat([x[0], x[1], x[2]])"},
            {"one", {.dim = 1}, {{{2, 3}}}, "torch.cat([x[0]], dim=1)"}};
  }

 private:
  template <class T>
  Shape output_shape(Inputs<T> in) const {
    Shape y = in[0].shape();
    for (const Tensor<T>& x : in.subspan(1)) y[dim] += x.dim(dim);
    return y;
  }

  // `size` elements along dim from `at` on.
  template <class T>
  Tensor<T> part(const Tensor<T>& y, std::int64_t at, std::int64_t size) const {
    Shape shape = y.shape();
    shape[dim] = size;
    return y.as_strided(shape, y.strides(), at * y.strides()[dim]);
  }
};
}  // namespace ops

// The tensors one behind the other along dimension dim; their other sizes must agree.
template <FloatElement T>
Tensor<T> concat(std::span<const Tensor<T>> tensors, int dim = 0) {
  return apply(ops::Concat{.dim = dim}, tensors);
}
template <FloatElement T>
Tensor<T> concat(const std::vector<Tensor<T>>& tensors, int dim = 0) {
  return concat(std::span<const Tensor<T>>(tensors), dim);
}
template <FloatElement T>
Tensor<T> concat(std::initializer_list<Tensor<T>> tensors, int dim = 0) {
  return concat(std::span<const Tensor<T>>(tensors.begin(), tensors.size()), dim);
}

}  // namespace mien
