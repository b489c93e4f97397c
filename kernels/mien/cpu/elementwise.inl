// Loops over elementwise ops. What an op computes comes from Math<Op>, which the op's own file
// specialises in each instruction set's namespace:
//   unary    V forward(V x, const Op&)        V backward(V saved, V dy, const Op&)
//   binary   V forward(V a, V b, const Op&)   V backward_a(V a, V b, V dy, const Op&), backward_b

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

// An operand of a row: elements side by side, or (step 0) one that stands for all. The choice is
// made at run time: a branch that never changes costs less than three more copies of each kernel.
template <class T>
struct RowOperand {
  using V = Vec<Compute<T>>;
  const T* p;
  bool stretched;
  V first;

  MIEN_INLINE RowOperand(const T* row, std::int64_t step)
      : p(row), stretched(step == 0), first(static_cast<Compute<T>>(*row)) {}
  MIEN_INLINE V at(std::int64_t i) const { return stretched ? first : V::load(p + i); }
  MIEN_INLINE V at(std::int64_t i, int n) const { return stretched ? first : V::load(p + i, n); }
};

// A row of n > 0 elements; step_a, step_b: 1, or 0 where one element stands for the whole row. B is
// T, or Compute<T> where b is a parameter.
template <class Op, class T, class B>
void binary_forward(T* y, const T* a, const B* b, std::int64_t n, std::int64_t step_a,
                    std::int64_t step_b, const Op& op) {
  constexpr int width = Vec<Compute<T>>::lanes;
  const RowOperand<T> left(a, step_a);
  const RowOperand<B> right(b, step_b);
  std::int64_t i = 0;
  for (; i + width <= n; i += width) Math<Op>::forward(left.at(i), right.at(i), op).store(y + i);
  const int rest = static_cast<int>(n - i);
  if (rest > 0) Math<Op>::forward(left.at(i, rest), right.at(i, rest), op).store(y + i, rest);
}

// The gradient of operand a (ForA) or b, before it is summed to the operand's shape.
template <class Op, class T, class B, bool ForA>
void binary_backward(std::conditional_t<ForA, T, B>* out, const T* a, const B* b, const T* dy,
                     std::int64_t n, std::int64_t step_a, std::int64_t step_b, const Op& op) {
  using V = Vec<Compute<T>>;
  const RowOperand<T> left(a, step_a);
  const RowOperand<B> right(b, step_b);
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

}  // namespace mien::kernels::MIEN_ISA
