// Trains as make_training.py does and writes losses, first gradients and final state:
//   training_run CASE SIZE float32|float64 OUT.safetensors

#include <cstdio>
#include <cstdlib>
#include <string>

#include <mien/io/safetensors.hpp>

#include "support/reference_training.hpp"

namespace {

template <class T>
void train(const std::string& which, std::int64_t size, const std::string& path) {
  const auto run = mien::test::reference_training<T>(which, size);
  mien::io::SafetensorsFile file;
  for (const auto& [name, tensor] : run.gradients)
    file.tensors.emplace_back("gradient." + name, tensor);
  for (const auto& [name, tensor] : run.final) file.tensors.emplace_back("final." + name, tensor);
  file.tensors.emplace_back("losses",
                            mien::Tensor<double>::from({mien::test::reference_steps}, run.losses));
  mien::io::write_safetensors(path, file);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: %s CASE SIZE float32|float64 OUT.safetensors\n", argv[0]);
    return 2;
  }
  const std::string dtype = argv[3];
  (dtype == "float64" ? train<double> : train<float>)(argv[1], std::atoll(argv[2]), argv[4]);
  return 0;
}
