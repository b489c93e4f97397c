// Loops over elementwise ops. What an op computes comes from Math<Op>, which the op's own file
// specialises in each instruction set's namespace:
//   unary:  static V forward(V x, const Op&)             static V backward(V saved, V dy, const
//   Op&) binary: static V forward(V a, V b, const Op&)        static V backward_a(V a, V b, V dy,
//   const Op&)
//                                                        static V backward_b(V a, V b, V dy, const
//                                                        Op&)

namespace mien::kernels::MIEN_ISA {

template <class Op>
struct Math;

template <class Op, class T>
void unary_forward(T* y, const T* x, std::int64_t n, const Op& op) {
  using V = Vec<Compute<T>>;
  std::int64_t i = 0;
  for (; i + V::lanes <= n; i += V::lanes) Math<Op>::forward(V::load(x + i), op).store(y + i);
  const int rest = static_cast<int>(n - i);
  if (rest > 0) Math<Op>::forward(V::load(x + i, rest), op).store(y + i, rest);
}

template <class Op, class T>
void unary_backward(T* dx, const T* saved, const T* dy, std::int64_t n, const Op& op) {
  using V = Vec<Compute<T>>;
  std::int64_t i = 0;
  for (; i + V::lanes <= n; i += V::lanes)
    Math<Op>::backward(V::load(saved + i), V::load(dy + i), op).store(dx + i);
  const int rest = static_cast<int>(n - i);
  if (rest > 0)
    Math<Op>::backward(V::load(saved + i, rest), V::load(dy + i, rest), op).store(dx + i, rest);
}

// An operand of a row: n elements, or one that stands for all of them.
template <class T, bool Stretched>
struct RowOperand {
  using V = Vec<Compute<T>>;
  const T* p;
  MIEN_INLINE V at(std::int64_t i) const {
    if constexpr (Stretched)
      return V(static_cast<Compute<T>>(*p));
    else
      return V::load(p + i);
  }
  MIEN_INLINE V at(std::int64_t i, int n) const {
    if constexpr (Stretched)
      return V(static_cast<Compute<T>>(*p));
    else
      return V::load(p + i, n);
  }
};

template <class Op, class T, bool StretchA, bool StretchB>
void binary_row(T* y, const T* a, const T* b, std::int64_t n, const Op& op) {
  using V = Vec<Compute<T>>;
  const RowOperand<T, StretchA> left{a};
  const RowOperand<T, StretchB> right{b};
  std::int64_t i = 0;
  for (; i + V::lanes <= n; i += V::lanes)
    Math<Op>::forward(left.at(i), right.at(i), op).store(y + i);
  const int rest = static_cast<int>(n - i);
  if (rest > 0) Math<Op>::forward(left.at(i, rest), right.at(i, rest), op).store(y + i, rest);
}

// step_a, step_b: 1, or 0 where one element stands for the whole row.
template <class Op, class T>
void binary_forward(T* y, const T* a, const T* b, std::int64_t n, std::int64_t step_a,
                    std::int64_t step_b, const Op& op) {
  if (step_a != 0 && step_b != 0)
    binary_row<Op, T, false, false>(y, a, b, n, op);
  else if (step_a != 0)
    binary_row<Op, T, false, true>(y, a, b, n, op);
  else if (step_b != 0)
    binary_row<Op, T, true, false>(y, a, b, n, op);
  else
    binary_row<Op, T, true, true>(y, a, b, n, op);
}

// The gradient of one operand, before it is summed to the operand's shape.
template <class Op, class T, bool ForA, bool StretchA, bool StretchB>
void binary_backward_row(T* out, const T* a, const T* b, const T* dy, std::int64_t n,
                         const Op& op) {
  using V = Vec<Compute<T>>;
  const RowOperand<T, StretchA> left{a};
  const RowOperand<T, StretchB> right{b};
  const auto gradient = [&](V x, V z, V g) {
    if constexpr (ForA)
      return Math<Op>::backward_a(x, z, g, op);
    else
      return Math<Op>::backward_b(x, z, g, op);
  };
  std::int64_t i = 0;
  for (; i + V::lanes <= n; i += V::lanes)
    gradient(left.at(i), right.at(i), V::load(dy + i)).store(out + i);
  const int rest = static_cast<int>(n - i);
  if (rest > 0)
    gradient(left.at(i, rest), right.at(i, rest), V::load(dy + i, rest)).store(out + i, rest);
}

template <class Op, class T, bool ForA>
void binary_backward(T* out, const T* a, const T* b, const T* dy, std::int64_t n,
                     std::int64_t step_a, std::int64_t step_b, const Op& op) {
  if (step_a != 0 && step_b != 0)
    binary_backward_row<Op, T, ForA, false, false>(out, a, b, dy, n, op);
  else if (step_a != 0)
    binary_backward_row<Op, T, ForA, false, true>(out, a, b, dy, n, op);
  else if (step_b != 0)
    binary_backward_row<Op, T, ForA, true, false>(out, a, b, dy, n, op);
  else
    binary_backward_row<Op, T, ForA, true, true>(out, a, b, dy, n, op);
}

}  // namespace mien::kernels::MIEN_ISA
