// mien-synth: draws faces whose expressions, valence, arousal and action units are known, as plain
// pictures or in the layouts of AffectNet and of ABAW4.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <functional>
#include <string>

#include <mien/config.hpp>
#include <mien/core/error.hpp>
#include <mien/train/interrupt.hpp>

#include "layouts.hpp"

namespace {

using namespace mien::synth;

// Options of every command.
void add_set(CLI::App& command, SetOptions& set, const std::string& out) {
  command.add_option("OUT", set.out, out)->required();
  command.add_option("--seed", set.seed, "Other numbers, other pictures")->capture_default_str();
  command.add_option("--size", set.size, "Side of a face's picture, pixels")
      ->check(CLI::Range(32, 2048))
      ->capture_default_str();
}

// Options of those that write a set with labels.
void add_labels(CLI::App& command, SetOptions& set) {
  command.add_option("--per-person", set.per_person, "Pictures of a person, on average")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  command
      .add_option("--label-noise", set.label_noise,
                  "Share of wrong classes, and deviation of valence and arousal")
      ->check(CLI::Range(0.0f, 1.0f))
      ->capture_default_str();
}

void add_count(CLI::App& command, const std::string& flag, std::int64_t& count,
               const std::string& what, std::int64_t least = 1) {
  command.add_option(flag, count, what)
      ->check(CLI::Range(least, std::int64_t{10000000}))
      ->capture_default_str();
}

struct Commands {
  FacesOptions faces;
  SheetOptions sheet;
  AffectNetOptions affectnet;
  AbawMtlOptions mtl;
  AbawLsdOptions lsd;
  std::string networks_out;
  std::uint64_t networks_seed = 7;
  std::function<void()> chosen;  // set when the line is read

  void add_pictures(CLI::App& app) {
    CLI::App& a = *app.add_subcommand("faces", "Plain pictures and labels.csv");
    add_set(a, faces.set, "Folder");
    add_labels(a, faces.set);
    add_count(a, "--count", faces.count, "Pictures");
    a.callback([this] { chosen = [this] { write_faces(faces); }; });

    CLI::App& b = *app.add_subcommand("sheet", "One picture with a row for each expression");
    add_set(b, sheet.set, "File, .png or .jpg");
    b.add_option("--columns", sheet.columns, "Persons")
        ->check(CLI::Range(1, 64))
        ->capture_default_str();
    b.add_flag("--aus", sheet.action_units, "A row for each action unit instead");
    b.callback([this] { chosen = [this] { write_sheet(sheet); }; });
  }

  void add_affectnet(CLI::App& app) {
    CLI::App& a = *app.add_subcommand("affectnet", "AffectNet's releases");
    add_set(a, affectnet.set, "New folder");
    add_labels(a, affectnet.set);
    add_count(a, "--train", affectnet.train, "Faces of the eight classes, as unbalanced as there",
              8);
    add_count(a, "--val", affectnet.validation, "Faces for validation, balanced", 8);
    a.add_flag("!--no-2017", affectnet.release_2017, "Without the CSV release of 2017");
    a.add_flag("!--no-2021", affectnet.release_2021, "Without the NPY release of 2021");
    a.add_flag("!--no-folders", affectnet.folders, "Without the folders of faces");
    a.callback([this] { chosen = [this] { write_affectnet(affectnet); }; });
  }

  void add_abaw(CLI::App& app) {
    CLI::App& a = *app.add_subcommand("abaw-mtl", "ABAW4's multi-task set, with OpenFace's files");
    add_set(a, mtl.set, "New folder");
    a.add_option("--label-noise", mtl.set.label_noise,
                 "Share of wrong classes, and deviation of valence and arousal")
        ->check(CLI::Range(0.0f, 1.0f))
        ->capture_default_str();
    add_count(a, "--train", mtl.train, "Frames");
    add_count(a, "--val", mtl.validation, "Frames for validation");
    add_count(a, "--test", mtl.test, "Frames for test");
    add_count(a, "--frames", mtl.frames, "Frames of one video, with one person");
    a.callback([this] { chosen = [this] { write_abaw_mtl(mtl); }; });

    CLI::App& b = *app.add_subcommand("abaw-lsd", "ABAW4's learning from synthetic data");
    add_set(b, lsd.set, "New folder");
    add_labels(b, lsd.set);
    add_count(b, "--train", lsd.train, "Faces of low quality");
    add_count(b, "--val", lsd.validation, "Faces for validation, of other persons");
    add_count(b, "--test", lsd.test, "Faces for test");
    b.callback([this] { chosen = [this] { write_abaw_lsd(lsd); }; });
  }

  void add_networks(CLI::App& app) {
    CLI::App& a =
        *app.add_subcommand("networks", "Freshly initialised networks for other programs");
    a.add_option("OUT", networks_out, "Folder")->required();
    a.add_option("--seed", networks_seed, "Other numbers, other weights")->capture_default_str();
    a.callback([this] { chosen = [this] { write_networks(networks_out, networks_seed); }; });
  }
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Draws faces whose expressions are known, in the layouts of data sets.",
               "mien-synth");
  app.require_subcommand(1);
  Commands commands;
  commands.add_pictures(app);
  commands.add_affectnet(app);
  commands.add_abaw(app);
  commands.add_networks(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  mien::train::catch_interrupts();
  try {
    commands.chosen();
    return 0;
  } catch (const mien::train::Interrupted& interrupted) {
    std::fprintf(stderr, "mien-synth: interrupted; the pictures so far have no labels\n");
    return interrupted.exit_code();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "mien-synth: %s\n", error.what());
    return 1;
  }
}
