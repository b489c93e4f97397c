#include "report.hpp"

#include <mien/io/atomic_file.hpp>
#include <mien/io/byte_reader.hpp>

#include <nlohmann/json.hpp>

#include "memory_budget.hpp"

namespace mien::programs {
namespace {

using Json = nlohmann::ordered_json;

Json entry(const ImageReport& image) {
  using Status = ImageReport::Status;
  Json json{{"input", image.input}};
  if (!image.output.empty()) json["output"] = image.output;
  switch (image.status) {
    case Status::failed:
      json.update({{"status", "failed"}, {"error", image.error}});
      break;
    case Status::skipped:
      json["status"] = "skipped";
      break;
    case Status::done:
      json.update({{"status", "done"},
                   {"size", {image.width, image.height}},
                   {"output_size", {image.out_width, image.out_height}},
                   {"tile", image.tile},
                   {"tiles", image.tiles},
                   {"retries", image.retries},
                   {"seconds", image.seconds}});
  }
  return json;
}

}  // namespace

void write_report(const Options& options, const Network& network, std::int64_t tile_pad,
                  const std::vector<ImageReport>& images) {
  Json json;
  json["weights"] = network.file;
  json["architecture"] = network.architecture;
  json["scale"] = network.run.scale;
  json["outscale"] =
      options.outscale > 0 ? options.outscale : static_cast<double>(network.run.scale);
  json["tile_pad"] = tile_pad;
  json["peak_memory_mb"] = static_cast<double>(peak_memory()) / 1e6;
  json["images"] = Json::array();
  for (const ImageReport& image : images) json["images"].push_back(entry(image));

  const std::string text = json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  io::AtomicFile file(options.report);
  file.write(io::as_bytes(text));
  file.commit();
}

}  // namespace mien::programs
