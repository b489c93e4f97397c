#pragma once
// Batched matrix product y = a b; a (..., m, k), b (..., k, n), y (..., m, n), where the leading
// dimensions broadcast as in NumPy. With transpose_a, a is (..., k, m); with transpose_b, b is
// (..., n, k): they are read transposed, not copied.

#include <vector>

#include <mien/cpu/gemm.hpp>
#include <mien/ops/op.hpp>
#include <mien/ops/sum_to.hpp>

namespace mien {

struct MatmulOptions {
  bool transpose_a = false, transpose_b = false;
};

namespace ops {

struct Matmul {
  static constexpr std::string_view name = "matmul";
  MatmulOptions options = {};

  Shape shape(std::span<const Shape> in) const {
    const Shape &a = in[0], &b = in[1];
    check(a.rank() >= 2 && b.rank() >= 2, name, "expected matrices, got shapes ", a, " and ", b);
    const bool ta = options.transpose_a, tb = options.transpose_b;
    check(a[ta ? -2 : -1] == b[tb ? -1 : -2], name, "a has ", a[ta ? -2 : -1], " columns, b has ",
          b[tb ? -1 : -2], " rows (shapes ", a, " and ", b, ")");
    Shape out = broadcast(batch_of(a), batch_of(b), name);
    out.push_back(a[ta ? -1 : -2]);
    out.push_back(b[tb ? -2 : -1]);
    return out;
  }

  template <class T>
  Tensor<T> reference(Inputs<T> in) const {
    return product<T>({in[0], options.transpose_a}, {in[1], options.transpose_b},
                      [](Cpu, auto... arguments) { kernels::gemm_reference(arguments...); });
  }

  template <class T>
  Tensor<T> forward(Context<T>& ctx, Inputs<T> in) {
    const Tensor<T>&a = in[0], &b = in[1];
    ctx.save(ctx.needs(1) ? a : Tensor<T>(), ctx.needs(0) ? b : Tensor<T>());
    const Shape shapes[] = {a.shape(), b.shape()};
    return product<T>({flat(a, b.shape()), options.transpose_a}, {b, options.transpose_b})
        .view_as(shape(shapes));
  }

  template <class T>
  Gradients<T> backward(const Context<T>& ctx, const Tensor<T>& dy) const {
    const Shape &shape_a = ctx.shape(0), &shape_b = ctx.shape(1);
    const Operand<T> g{flat(dy, shape_b), false};
    Gradients<T> gradients(2);
    if (ctx.needs(0)) {
      const Operand<T> b{ctx.saved(1), options.transpose_b};
      const Tensor<T> da = options.transpose_a ? product(b, g.t()) : product(g, b.t());
      gradients[0] = flattens(shape_b) ? da.view_as(shape_a) : sum_to(da, shape_a);
    }
    if (ctx.needs(1)) {
      const Operand<T> a{flat(ctx.saved(0), shape_b), options.transpose_a};
      gradients[1] = sum_to(options.transpose_b ? product(g.t(), a) : product(a.t(), g), shape_b);
    }
    return gradients;
  }

  static std::vector<Sample<Matmul>> samples() {
    return {{"matrices", {}, {{{5, 7}}, {{7, 3}}}, "x[0] @ x[1]"},
            {"batched", {}, {{{2, 3, 4, 17}}, {{2, 3, 17, 33}}}, "x[0] @ x[1]"},
            {"shared_b", {}, {{{2, 3, 5, 7}}, {{7, 3}}}, "x[0] @ x[1]"},
            {"broadcast", {}, {{{2, 1, 5, 3}}, {{4, 3, 2}}}, "x[0] @ x[1]"},
            {"transpose_a", {{.transpose_a = true}}, {{{2, 7, 5}}, {{7, 3}}}, "x[0].mT @ x[1]"},
            {"transpose_b", {{.transpose_b = true}}, {{{2, 5, 7}}, {{2, 19, 7}}}, "x[0] @ x[1].mT"},
            {"transpose_both",
             {{.transpose_a = true, .transpose_b = true}},
             {{{7, 5}}, {{3, 4, 7}}},
             "x[0].mT @ x[1].mT"}};
  }

 private:
  template <class T>
  struct Operand {
    Tensor<T> x;  // dense
    bool transposed;

    Operand t() const { return {x, !transposed}; }
    std::int64_t rows() const { return x.dim(transposed ? -1 : -2); }
    std::int64_t columns() const { return x.dim(transposed ? -2 : -1); }
    std::int64_t row_stride() const { return transposed ? 1 : x.dim(-1); }
    std::int64_t column_stride() const { return transposed ? x.dim(-1) : 1; }
    // The matrix that takes part in product `index` of a batch.
    const T* matrix(std::int64_t index, const Shape& batch) const {
      std::int64_t at = 0, step = rows() * columns();
      for (int i = -1; i >= -batch.rank(); --i) {
        const std::int64_t size = i - 2 >= -x.rank() ? x.dim(i - 2) : 1;
        if (size != 1) at += index % batch[i] * step;
        step *= size;
        index /= batch[i];
      }
      return x.data() + at;
    }
  };

  static Shape batch_of(const Shape& x) { return Shape(x.begin(), x.rank() - 2); }

  // Where one matrix b serves a whole batch, the rows of the batch are those of one large matrix.
  bool flattens(const Shape& b) const { return b.rank() == 2 && !options.transpose_a; }
  template <class T>
  Tensor<T> flat(const Tensor<T>& x, const Shape& b) const {
    if (!flattens(b)) return x;
    return x.view_as({batch_of(x.shape()).numel() * x.dim(-2), x.dim(-1)});
  }

  template <class T>
  static Tensor<T> product(const Operand<T>& a, const Operand<T>& b) {
    return product(a, b, [](auto... arguments) { kernels::gemm(arguments...); });
  }

  // Large products run one after another, each on all threads; small ones side by side.
  template <class T, class Gemm>
  static Tensor<T> product(const Operand<T>& a, const Operand<T>& b, Gemm gemm) {
    constexpr std::int64_t large = 1 << 21;
    const Shape batch = broadcast(batch_of(a.x.shape()), batch_of(b.x.shape()), name);
    const std::int64_t m = a.rows(), n = b.columns(), k = a.columns();
    Shape out = batch;
    out.push_back(m);
    out.push_back(n);
    Tensor<T> y(out, a.x.device());
    if (y.numel() == 0) return y;
    const kernels::GemmParams p{.m = m,
                                .n = n,
                                .k = k,
                                .a_row = a.row_stride(),
                                .a_col = a.column_stride(),
                                .b_row = b.row_stride(),
                                .b_col = b.column_stride(),
                                .c_row = n};
    T* results = y.mutable_data();
    with_device(a.x.device(), [&](auto device) {
      const auto run = [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i)
          gemm(device, results + i * m * n, a.matrix(i, batch), b.matrix(i, batch), p);
      };
      const std::int64_t work = m * n * k + 1;
      work >= large ? run(0, batch.numel()) : parallel_for(batch.numel(), large / work, run);
    });
    return y;
  }
};

}  // namespace ops

// Shapes as above; at least two dimensions each.
template <FloatElement T>
Tensor<T> matmul(const Tensor<T>& a, const Tensor<T>& b, const MatmulOptions& options = {}) {
  return apply(ops::Matmul{options}, {a, b});
}

MIEN_INSTANCE(Tensor<float> matmul(const Tensor<float>&, const Tensor<float>&,
                                   const MatmulOptions&))

}  // namespace mien
