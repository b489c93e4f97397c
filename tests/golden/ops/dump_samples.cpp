// Writes the inputs of every op sample, with PyTorch's name for the op as metadata, for
// make_ops.py:
//   op_samples OUT.safetensors

#include <cstdio>

#include <mien/io/safetensors.hpp>
#include <mien/ops/all.hpp>

#include "loss/loss_ops.hpp"
#include "support/op_samples.hpp"

namespace {

using mien::Sample;
using mien::TypeList;

template <class Op>
void dump(mien::io::SafetensorsFile& file) {
  for (const Sample<Op>& sample : Op::samples()) {
    if (sample.torch.empty()) continue;
    const std::string key = mien::test::sample_key(sample);
    const auto values = mien::test::sample_inputs(sample);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::string name = i + 1 == values.size() ? "dy" : mien::str('x', i);
      if (values[i].defined()) file.tensors.emplace_back(mien::str(key, '/', name), values[i]);
    }
    file.metadata[key] = sample.torch;
  }
}

template <class... Ops>
void dump_all(mien::io::SafetensorsFile& file, TypeList<Ops...>) {
  (dump<Ops>(file), ...);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s OUT.safetensors\n", argv[0]);
    return 2;
  }
  mien::io::SafetensorsFile file;
  mien::ops::with_all_ops([&](auto group) { dump_all(file, group); });
  dump_all(file, mien::test::LossOps{});
  mien::io::write_safetensors(argv[1], file);
  return 0;
}
