// Trains a small network to tell how far a point is from the origin.

#include <cstdio>

#include <mien/mien.hpp>

using namespace mien;

int main() {
  Generator random(1);
  const auto x = rand<float>({256, 2}, random, -1, 1);        // points (n, 2)
  const auto y = sum(x * x, {.dims = {1}, .keepdim = true});  // squared distance (n, 1)

  nn::Linear<float> hidden({.in = 2, .out = 32}), out({.in = 32, .out = 1});
  optim::Sgd<float> sgd({hidden.weight, hidden.bias, out.weight, out.bias},
                        {.lr = 0.1, .momentum = 0.9});
  for (int step = 0; step <= 500; ++step) {
    const auto error = out.forward(silu(hidden.forward(x))) - y;
    const auto loss = mean(error * error);
    if (step % 100 == 0) std::printf("step %3d  loss %.5f\n", step, loss.item());
    sgd.zero_grad();
    loss.backward();
    sgd.step();
  }
}
