// Training steps of MT-EmotiEffNet behind a pipe, for bench/peers/training.py, which times mien
// beside PyTorch in turn:
//
//   mien_training_server WEIGHTS.safetensors INPUT.safetensors
//
// weights by timm's names; input: tensors x (n, h, w, 3), labels (n) and affect (n, 2). Reads lines
// and answers each with one: "facts" -> JSON; "loss" -> the loss in training mode; "adam", "sam" ->
// seconds of one step; "optimizer" -> seconds of SAM's passes over the parameters and Adam's,
// without the network.

#include <chrono>
#include <map>
#include <string>

#include <mien/cpu/isa.hpp>
#include <mien/io/safetensors.hpp>
#include <mien/loss/affect.hpp>
#include <mien/models/emotieffnet.hpp>
#include <mien/optim/adam.hpp>
#include <mien/optim/sam.hpp>

#include "line_server.hpp"

namespace {

using mien::Tensor;
namespace bench = mien::bench;

class Training {
 public:
  Training(const std::string& weights, const std::string& input) {
    net_.load_state_dict(mien::io::read_safetensors(weights).tensors);
    std::map<std::string, mien::AnyTensor> tensors;
    for (auto& [name, tensor] : mien::io::read_safetensors(input).tensors)
      tensors.emplace(name, tensor);
    x_ = tensors.at("x").as<float>();
    labels_.expression = tensors.at("labels").as<std::int64_t>();
    const auto affect = tensors.at("affect").as<float>();
    labels_.valence = affect.as_strided({x_.dim(0)}, {2}).clone();
    labels_.arousal = affect.as_strided({x_.dim(0)}, {2}, 1).clone();
  }

  double loss() { return double{forward().item()}; }

  void adam_step() {
    adam_.zero_grad();
    forward().backward();
    adam_.step();
  }

  void sam_step() {
    mien::Generator unused;
    sam_.step(unused, [&] {
      const auto loss = forward();
      loss.backward();
      return double{loss.item()};
    });
  }

  // Leaves gradients for optimizer_step().
  void prepare() {
    adam_.zero_grad();
    forward().backward();
  }
  void optimizer_step() {
    sam_.climb();
    sam_.descend();
  }

 private:
  Tensor<float> forward() {
    mien::Generator unused;
    return loss_(net_.forward(x_, unused), labels_).total;
  }

  mien::models::EfficientNet<float> net_{{.num_classes = 10, .drop_path = 0, .dropout = 0}};
  mien::optim::Adam<float> adam_{net_.parameters(), {.lr = 1e-4}};
  mien::optim::Sam<float> sam_{adam_, net_};
  mien::loss::AffectLoss loss_{.epsilon = 0};
  Tensor<float> x_;
  mien::loss::AffectLabels<float> labels_;
};

template <class F>
double seconds(F&& f) {
  const auto begin = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

int serve(const char* weights, const char* input) {
  Training training(weights, input);
  const auto timed = [&](auto step) { return bench::seconds_text(seconds(step)); };
  return bench::serve_lines([&](const std::string& line) -> std::string {
    if (line == "facts")
      return mien::str("{\"isa\": \"", mien::active_isa(), "\", \"threads\": ", mien::num_threads(),
                       '}');
    if (line == "loss") return bench::seconds_text(training.loss());
    if (line == "adam") return timed([&] { training.adam_step(); });
    if (line == "sam") return timed([&] { training.sam_step(); });
    if (line == "prepare") return timed([&] { training.prepare(); });
    if (line == "optimizer") return timed([&] { training.optimizer_step(); });
    mien::fail("mien_training_server", "got '" + line + "'");
  });
}

}  // namespace

int main(int argc, char** argv) {
  return bench::serve_with_arguments(argc, argv, 2, "WEIGHTS.safetensors INPUT.safetensors",
                                     [&] { return serve(argv[1], argv[2]); });
}
