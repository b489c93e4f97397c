#include "evaluation.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <vector>

#include <mien/affect/label_orders.hpp>
#include <mien/train/interrupt.hpp>
#include <mien/train/svg.hpp>
#include <mien/train/svg_confusion.hpp>

#include <nlohmann/json.hpp>

namespace mien::programs {

namespace {

constexpr auto contempt = *affect::find_label(affect::affectnet8_outputs, "Contempt");

std::vector<std::string> class_names() {
  return {affect::affectnet8_outputs.begin(), affect::affectnet8_outputs.end()};
}

template <class... Arguments>
std::string line(const char* format, Arguments... arguments) {
  std::array<char, 128> text{};
  std::snprintf(text.data(), text.size(), format, arguments...);
  return text.data();
}

}  // namespace

metrics::AffectScores evaluate(const Network& network, const FaceLoader& loader) {
  const NoGrad no_grad;
  metrics::AffectMeter meter(
      {.classes = std::ssize(affect::affectnet8_outputs), .left_out = contempt});
  auto batches = loader.epoch(0);
  for (const auto& batch : batches) {
    train::throw_if_interrupted();
    meter.add(network.forward(batch.images), batch.labels);
  }
  return meter.scores();
}

train::Values values_of(const metrics::AffectScores& scores) {
  return {{"accuracy", metrics::accuracy(scores.expression)},
          {"accuracy7", metrics::accuracy(scores.without)},
          {"ccc_valence", scores.valence.ccc},
          {"ccc_arousal", scores.arousal.ccc},
          {"rmse_valence", scores.valence.rmse},
          {"rmse_arousal", scores.arousal.rmse}};
}

std::string report(const metrics::AffectScores& scores) {
  std::string text =
      "accuracy, %         valence        arousal\n"
      "8 classes  7        RMSE   CCC     RMSE   CCC\n";
  text += line("%9.2f  %5.2f    %5.3f  %5.3f   %5.3f  %5.3f\n\n",
               100 * metrics::accuracy(scores.expression), 100 * metrics::accuracy(scores.without),
               scores.valence.rmse, scores.valence.ccc, scores.arousal.rmse, scores.arousal.ccc);
  const auto recall = metrics::recall(scores.expression);
  text += "class        faces  accuracy, %\n";
  for (std::size_t c = 0; c < recall.size(); ++c)
    text += line("%-10s %7lld  %11.2f\n", std::string(affect::affectnet8_outputs[c]).c_str(),
                 static_cast<long long>(scores.expression.of_truth(static_cast<std::int64_t>(c))),
                 100 * recall[c]);
  return text;
}

void write_evaluation(const std::string& folder, const metrics::AffectScores& scores) {
  nlohmann::ordered_json json;
  for (const auto& [name, value] : values_of(scores)) json[name] = value;  // NaN becomes null
  const auto recall = metrics::recall(scores.expression);
  const auto names = class_names();
  for (std::size_t c = 0; c < names.size(); ++c) json["class_accuracy"][names[c]] = recall[c];
  json["confusion"] = scores.expression.counts();
  train::save_text(folder + "/evaluation.json", json.dump(2) + '\n');
  train::save_text(folder + "/confusion.svg",
                   train::confusion_svg(scores.expression.counts(), names,
                                        {.title = "Expressions of the validation part"}));
}

}  // namespace mien::programs
