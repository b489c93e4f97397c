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
#include <cstdio>
#include <iostream>
#include <map>
#include <string>

#include <mien/cpu/isa.hpp>
#include <mien/io/safetensors.hpp>
#include <mien/loss/affect.hpp>
#include <mien/models/emotieffnet.hpp>
#include <mien/optim/adam.hpp>
#include <mien/optim/sam.hpp>

namespace {

using mien::Tensor;

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
  std::string line;
  while (std::getline(std::cin, line)) {
    if (line == "facts")
      std::printf("{\"isa\": \"%s\", \"threads\": %d}\n",
                  mien::to_string(mien::active_isa()).data(), mien::num_threads());
    else if (line == "loss")
      std::printf("%.9g\n", training.loss());
    else if (line == "adam")
      std::printf("%.9f\n", seconds([&] { training.adam_step(); }));
    else if (line == "sam")
      std::printf("%.9f\n", seconds([&] { training.sam_step(); }));
    else if (line == "prepare")
      std::printf("%.9f\n", seconds([&] { training.prepare(); }));
    else if (line == "optimizer")
      std::printf("%.9f\n", seconds([&] { training.optimizer_step(); }));
    else
      mien::fail("mien_training_server", "got '" + line + "'");
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s WEIGHTS.safetensors INPUT.safetensors\n", argv[0]);
    return 2;
  }
  try {
    return serve(argv[1], argv[2]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
