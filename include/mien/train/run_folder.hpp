#pragma once
// RunFolder: what a run leaves on disk.
//
//   checkpoints/   step-*.safetensors, best.safetensors      (checkpoint_folder.hpp)
//   history.csv, history.jsonl, events.out.tfevents.*        a record per phase and epoch
//   NAME.svg                                                 a curve of each recorded value

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <mien/train/checkpoint_folder.hpp>
#include <mien/train/csv_log.hpp>
#include <mien/train/jsonl_log.hpp>
#include <mien/train/svg.hpp>
#include <mien/train/svg_curves.hpp>
#include <mien/train/tensorboard_log.hpp>

namespace mien::train {

class RunFolder {
 public:
  RunFolder(const std::string& folder, int keep_checkpoints)
      : folder_(folder), checkpoints_(folder + "/checkpoints", {.keep_last = keep_checkpoints}) {
    remove_unfinished(folder);
    sinks_.push_back(std::make_unique<CsvLog>(csv_path()));
    sinks_.push_back(std::make_unique<JsonlLog>(folder + "/history.jsonl"));
    sinks_.push_back(std::make_unique<TensorBoardLog>(folder));
  }

  CheckpointFolder& checkpoints() { return checkpoints_; }

  void write(const Record& record) {
    for (const auto& sink : sinks_) sink->write(record);
  }

  // Forgets what was recorded after `step`; everything where it is negative.
  void rewind_history(std::int64_t step) {
    for (const auto& sink : sinks_) sink->rewind(step);
  }

  // Draws the history anew.
  void draw_curves() const {
    const std::vector<Record> history = read_csv_log(csv_path());
    std::set<std::string> names;
    for (const Record& record : history)
      for (const auto& [name, value] : record.values) names.insert(name);
    for (const std::string& name : names) {
      const auto curves = curves_of(history, name);
      save_text(folder_ + '/' + file_name(name) + ".svg", curves_svg(curves, {.title = name}));
    }
  }

 private:
  std::string csv_path() const { return folder_ + "/history.csv"; }

  // Letters and digits of a value's name, and '_' for all else.
  static std::string file_name(std::string name) {
    for (char& c : name)
      if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z')) c = '_';
    return name;
  }

  std::string folder_;
  CheckpointFolder checkpoints_;
  std::vector<std::unique_ptr<RecordSink>> sinks_;
};

}  // namespace mien::train
