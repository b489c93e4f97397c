#pragma once
// The kinds of data that can be checked, a file each.

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "images.hpp"
#include "report.hpp"

namespace mien::programs {

bool has_affectnet(const std::string& root);
std::vector<Report> check_affectnet(const std::string& root, const ImageChecks& checks);

bool has_abaw_mtl(const std::string& root);
std::vector<Report> check_abaw_mtl(const std::string& root, const ImageChecks& checks);

bool has_abaw_lsd(const std::string& root);
std::vector<Report> check_abaw_lsd(const std::string& root, const ImageChecks& checks);

bool has_openface(const std::string& root);
std::vector<Report> check_openface(const std::string& root, const ImageChecks& checks);

struct Kind {
  std::string_view name;
  bool (*is_in)(const std::string& root);
  std::vector<Report> (*check)(const std::string& root, const ImageChecks& checks);
};

inline constexpr std::array<Kind, 4> kinds = {{{"affectnet", has_affectnet, check_affectnet},
                                               {"abaw-mtl", has_abaw_mtl, check_abaw_mtl},
                                               {"abaw-lsd", has_abaw_lsd, check_abaw_lsd},
                                               {"openface", has_openface, check_openface}}};

}  // namespace mien::programs
