// A network behind a pipe, for bench/peers/models.py, which times mien beside other engines in
// turn:
//
//   mien_model_server WEIGHTS INPUT.safetensors        the input is the tensor "x" (n, h, w, c)
//
// reads lines and answers each with one: "facts" -> JSON, "run" -> seconds of one forward pass,
// "output FILE" -> "ok" after writing the result as tensor "y".

#include <chrono>
#include <functional>
#include <string>

#include <mien/core/parallel.hpp>
#include <mien/cpu/isa.hpp>
#include <mien/io/safetensors.hpp>
#include <mien/weights/load_model.hpp>

#include "line_server.hpp"

namespace {

using mien::Tensor;
namespace bench = mien::bench;
using Forward = std::function<Tensor<float>(const Tensor<float>&)>;

Forward load(const char* path) {
  const auto checkpoint = mien::weights::read_checkpoint(path);
  const auto model = mien::weights::import_checkpoint(checkpoint);
  if (!std::holds_alternative<mien::models::EfficientNetOptions>(model.architecture))
    return mien::weights::load_super_resolution(checkpoint).forward;
  // A bare state_dict in timm's names is taken for TensorFlow's padding and epsilon.
  const auto emotion =
      mien::weights::load_emotion_model(checkpoint, {"", mien::models::Source::timm_tf});
  return [emotion](const Tensor<float>& x) { return emotion.classify(emotion.embed(x)); };
}

int serve(const char* weights, const char* input) {
  const Forward forward = load(weights);
  Tensor<float> x;
  for (const auto& [name, tensor] : mien::io::read_safetensors(input).tensors)
    if (name == "x") x = tensor.as<float>();
  mien::check(x.defined(), input, "has no tensor x");
  return bench::serve_lines([&](const std::string& line) -> std::string {
    if (line == "facts")
      return mien::str("{\"isa\": \"", mien::active_isa(), "\", \"threads\": ", mien::num_threads(),
                       '}');
    if (line == "run") {
      const auto begin = std::chrono::steady_clock::now();
      forward(x);
      const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
      return bench::seconds_text(taken.count());
    }
    if (line.starts_with("output ")) {
      mien::io::write_safetensors(line.substr(7), {{{"y", forward(x)}}, {}});
      return "ok";
    }
    mien::fail("mien_model_server", "expected facts, run or output FILE, got '" + line + "'");
  });
}

}  // namespace

int main(int argc, char** argv) {
  return bench::serve_with_arguments(argc, argv, 2, "WEIGHTS INPUT.safetensors",
                                     [&] { return serve(argv[1], argv[2]); });
}
