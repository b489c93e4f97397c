#pragma once
// Writing a set of files: pictures by several threads with progress, then its tables.
//
// Pictures are written plainly, for to sync each takes longer than to draw it. Tables are written
// last and atomically: where a table is, all of its pictures are.

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <mien/data/image.hpp>

namespace mien::synth {

// Calls write_one(i) for i in [0, count) on several threads, with progress under this name. Throws
// train::Interrupted after Ctrl-C, when none is half written.
void write_each(std::string_view name, std::int64_t count,
                const std::function<void(std::int64_t)>& write_one);

// Makes `path`'s folder where it is missing.
void write_jpeg(const std::string& path, const data::Image& image, int quality);

// One line each, with '\n'.
void write_lines(const std::string& path, const std::vector<std::string>& lines);

// NumPy files: a scalar that is text ('<U4'), and an array of doubles.
void write_npy(const std::string& path, std::string_view text);
void write_npy(const std::string& path, const std::vector<double>& values);

// Prints a line, at once also into a pipe.
void say(const std::string& line);

// Refuses to add to what is there: files of an earlier run would be taken for the set's.
void check_new(const std::string& folder);

// With so many digits after the point, and no negative zero.
std::string decimal(double value, int digits);

}  // namespace mien::synth
