#pragma once
// The command line of mien-pretrain.

#include <cstdint>
#include <optional>
#include <string>

#include <mien/loss/cross_entropy.hpp>
#include <mien/optim/sam.hpp>

namespace mien::programs {

struct Options {
  std::string data, out, weights, cache;
  bool resume = false, evaluate = false, lenient = false;

  double width = 0, depth = 0;  // scales of the network; 0: those of B0
  std::int64_t size = 224;      // side of the network's input

  std::int64_t head_epochs = 3, epochs = 6, batch = 48, accumulate = 1;
  double head_lr = 1e-3, lr = 1e-4, weight_decay = 0, momentum = 0.9;
  std::string optimizer = "adam", schedule = "constant";
  std::int64_t warmup = 0;  // steps
  double rho = 0.05;        // 0: no SAM
  bool adaptive = false;
  optim::SamBatchNorm sam_batch_norm = optim::SamBatchNorm::both;
  double clip = 0, ema = 0, dropout = -1, drop_path = 0;
  double label_smoothing = 0;
  loss::ClassReduction reduction = loss::ClassReduction::weighted_mean;
  bool augment = false;
  std::int64_t patience = 0, checkpoint_batches = 500;
  std::uint64_t seed = 1;
  int workers = 2;
};

struct CommandLine {
  Options options;
  std::optional<int> exit_code;  // set where there is nothing to do
};

CommandLine read_command_line(int argc, char** argv);

// Everything that decides about the result, as JSON: a run goes on only under the same.
std::string configuration(const Options& options);

}  // namespace mien::programs
