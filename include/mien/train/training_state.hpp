#pragma once
// TrainingState: everything that a run needs to go on, as a safetensors file.
//
//   model/NAME, optimizer/NAME, ema/NAME   state dicts
//   state/NAME                             numbers of the run: 64-bit integers and floats
//
// Metadata tells the format, the run's configuration and the names of the sums.

#include <algorithm>
#include <bit>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/core/random.hpp>
#include <mien/io/safetensors.hpp>
#include <mien/nn/state_dict.hpp>
#include <mien/train/early_stopping.hpp>
#include <mien/train/values.hpp>

namespace mien::train {

struct TrainingState {
  std::int64_t epoch = 0;     // that the next batch belongs to
  std::int64_t position = 0;  // batches of it that are done
  std::int64_t step = 0;      // optimizer steps done
  RunningMeans means;         // of the epoch so far
  Generator generator;
  EarlyStoppingState stopping;  // with the best value so far
  bool finished = false;        // no further epoch is wanted

  nn::StateDict model, optimizer, ema;
};

namespace detail {

inline constexpr std::string_view state_format = "mien training state 1";

class StateWriter {
 public:
  void dict(std::string_view prefix, const nn::StateDict& dict) {
    for (const auto& [name, tensor] : dict) file.tensors.emplace_back(str(prefix, name), tensor);
  }
  void integer(std::string_view name, std::int64_t value) {
    file.tensors.emplace_back(str("state/", name), Tensor<std::int64_t>::scalar(value));
  }
  void real(std::string_view name, double value) {
    file.tensors.emplace_back(str("state/", name), Tensor<double>::scalar(value));
  }

  io::SafetensorsFile file;
};

class StateReader {
 public:
  StateReader(io::SafetensorsFile file, std::string path)
      : file_(std::move(file)), path_(std::move(path)) {
    for (const auto& [name, tensor] : file_.tensors) tensors_.emplace(name, &tensor);
  }

  const std::string& metadata(const std::string& key) const {
    const auto found = file_.metadata.find(key);
    check(found != file_.metadata.end(), path_, "not a training state: metadata ", key,
          " is missing");
    return found->second;
  }
  nn::StateDict dict(std::string_view prefix) const {
    nn::StateDict dict;
    for (const auto& [name, tensor] : file_.tensors)
      if (name.starts_with(prefix)) dict.emplace_back(name.substr(prefix.size()), tensor);
    return dict;
  }
  std::int64_t integer(std::string_view name) const { return number<std::int64_t>(name); }
  double real(std::string_view name) const { return number<double>(name); }

 private:
  template <class T>
  T number(std::string_view name) const {
    const auto found = tensors_.find(str("state/", name));
    check(found != tensors_.end(), path_, "not a training state: ", name, " is missing");
    return found->second->template get<T>().item();
  }

  io::SafetensorsFile file_;
  std::string path_;
  std::map<std::string, const AnyTensor*> tensors_;
};

// The lines of `other` that `text` does not have.
inline std::string lines_beyond(std::string_view text, std::string_view other) {
  const auto each_line = [](std::string_view lines, auto&& f) {
    while (!lines.empty()) {
      const std::string_view line = lines.substr(0, lines.find('\n'));
      f(line);
      lines.remove_prefix(std::min(lines.size(), line.size() + 1));
    }
  };
  std::string beyond;
  each_line(other, [&](std::string_view line) {
    bool known = false;
    each_line(text, [&](std::string_view same) { known = known || line == same; });
    if (!known) beyond += str(beyond.empty() ? "" : ", ", line);
  });
  return beyond;
}

}  // namespace detail

// Writes the state in one piece. `configuration` is a text that tells runs of another kind apart.
inline void write_training_state(const std::string& path, const TrainingState& state,
                                 const std::string& configuration) {
  detail::StateWriter out;
  out.dict("model/", state.model);
  out.dict("optimizer/", state.optimizer);
  out.dict("ema/", state.ema);
  out.integer("epoch", state.epoch);
  out.integer("position", state.position);
  out.integer("step", state.step);
  out.integer("finished", state.finished);
  out.integer("generator.seed", std::bit_cast<std::int64_t>(state.generator.seed()));
  out.integer("generator.offset", std::bit_cast<std::int64_t>(state.generator.offset()));
  out.integer("best.known", state.stopping.best.known);
  out.real("best.value", state.stopping.best.value);
  out.integer("best.step", state.stopping.best.step);
  out.integer("stopping.without_gain", state.stopping.without_gain);
  out.integer("means.steps", state.means.steps);
  std::string names;
  for (const auto& [name, sum] : state.means.sums) {
    names += (names.empty() ? "" : "\n") + name;
    out.real("sum." + name, sum);
  }
  out.file.metadata = {{"format", std::string(detail::state_format)},
                       {"configuration", configuration},
                       {"sums", names}};
  io::write_safetensors(path, out.file);
}

// Throws where the file is not a whole training state of a run with that configuration.
inline TrainingState read_training_state(const std::string& path,
                                         const std::string& configuration) {
  const detail::StateReader in(io::read_safetensors(path), path);
  check(in.metadata("format") == detail::state_format, path, "expected format '",
        detail::state_format, "', got '", in.metadata("format"), "'");
  const std::string begun = in.metadata("configuration");
  check(begun == configuration, path, "this run was begun with other settings\n  then: ",
        detail::lines_beyond(configuration, begun),
        "\n  now:  ", detail::lines_beyond(begun, configuration));
  TrainingState state;
  state.model = in.dict("model/");
  state.optimizer = in.dict("optimizer/");
  state.ema = in.dict("ema/");
  state.epoch = in.integer("epoch");
  state.position = in.integer("position");
  state.step = in.integer("step");
  state.finished = in.integer("finished") != 0;
  state.generator = Generator(std::bit_cast<std::uint64_t>(in.integer("generator.seed")));
  state.generator.set_offset(std::bit_cast<std::uint64_t>(in.integer("generator.offset")));
  state.stopping.best = {in.integer("best.known") != 0, in.real("best.value"),
                         in.integer("best.step")};
  state.stopping.without_gain = in.integer("stopping.without_gain");
  state.means.steps = in.integer("means.steps");
  std::string_view names = in.metadata("sums");
  while (!names.empty()) {
    const std::string name(names.substr(0, names.find('\n')));
    state.means.sums.emplace_back(name, in.real("sum." + name));
    names.remove_prefix(std::min(names.size(), name.size() + 1));
  }
  return state;
}

}  // namespace mien::train
