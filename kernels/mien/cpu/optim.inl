// Passes of the optimizers over flat arrays: weights w, gradients g, moments. Formulas and sources:
// optim/{sgd,adam,sam}.hpp.

namespace mien::kernels::MIEN_ISA {

// The sum of g[i]^2, or of (w[i] g[i])^2 unless w is null.
template <class T>
double squared_norm(const T* g, const T* w, std::int64_t n) {
  using V = Vec<T>;
  V sum;
  each_vector<T>(n, [&](std::int64_t i, int count) {
    const V slope = load_vector(g + i, count);
    const V x = w == nullptr ? slope : slope * load_vector(w + i, count);
    sum = fma(x, x, sum);
  });
  return static_cast<double>(reduce_add(sum));
}

template <class T>
void scale_in_place(T* x, std::int64_t n, T factor) {
  using V = Vec<T>;
  each_vector<T>(n, [&](std::int64_t i, int count) {
    store_vector(load_vector(x + i, count) * V(factor), x + i, count);
  });
}

// x moves toward `target` by `share` of the way.
template <class T>
void move_toward(T* x, const T* target, std::int64_t n, T share) {
  using V = Vec<T>;
  each_vector<T>(n, [&](std::int64_t i, int count) {
    const V from = load_vector(x + i, count);
    store_vector(fma(V(share), load_vector(target + i, count) - from, from), x + i, count);
  });
}

template <class T>
void sam_perturb(T* w, T* before, const T* g, std::int64_t n, T scale, bool adaptive) {
  using V = Vec<T>;
  each_vector<T>(n, [&](std::int64_t i, int count) {
    const V at = load_vector(w + i, count);
    const V slope = V(scale) * load_vector(g + i, count);
    store_vector(at, before + i, count);
    store_vector(fma(slope, adaptive ? at * at : V(1), at), w + i, count);
  });
}

template <class T>
void sgd_update(T* w, const T* from, T* momentum, const T* g, std::int64_t n,
                const SgdParams<T>& p) {
  using V = Vec<T>;
  each_vector<T>(n, [&](std::int64_t i, int count) {
    const V at = load_vector(from + i, count);
    V step = fma(V(p.weight_decay), at, load_vector(g + i, count));
    if (momentum != nullptr) {
      const V moving = fma(V(p.momentum), load_vector(momentum + i, count), step);
      store_vector(moving, momentum + i, count);
      step = p.nesterov ? fma(V(p.momentum), moving, step) : moving;
    }
    store_vector(fma(V(-p.lr), step, at), w + i, count);
  });
}

template <class T>
void adam_update(T* w, const T* from, T* mean, T* square, const T* g, std::int64_t n,
                 const AdamParams<T>& p) {
  using V = Vec<T>;
  each_vector<T>(n, [&](std::int64_t i, int count) {
    V at = load_vector(from + i, count);
    V slope = load_vector(g + i, count);
    if (p.decoupled)
      at = at * V(p.decay);
    else
      slope = fma(V(p.decay), at, slope);
    V m = load_vector(mean + i, count);
    m = fma(V(p.share1), slope - m, m);
    const V v = fma(V(p.share2) * slope, slope, V(p.beta2) * load_vector(square + i, count));
    store_vector(m, mean + i, count);
    store_vector(v, square + i, count);
    const V deviation = fma(sqrt(v), V(p.inverse_root2), V(p.epsilon));
    store_vector(fma(V(-p.step_size), m / deviation, at), w + i, count);
  });
}

}  // namespace mien::kernels::MIEN_ISA
