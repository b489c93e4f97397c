#pragma once
// What a dataset is.
//
//   struct Faces {
//     std::int64_t size() const;
//     FaceExample get(std::int64_t index, Generator& random) const;
//   };
//
// get() is called by several threads at once. Random choices (augmentation) are drawn from `random`
// alone, which the loader seeds by the place in the epoch and the epoch: what comes out depends
// neither on who loads it nor on what was loaded before.

#include <concepts>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <mien/core/random.hpp>

namespace mien::data {

template <class D>
concept Dataset = requires(const D& dataset, std::int64_t index, Generator& random) {
  { dataset.size() } -> std::convertible_to<std::int64_t>;
  dataset.get(index, random);
};

// What a dataset is made of: an image with its labels, say.
template <Dataset D>
using Example = std::remove_cvref_t<decltype(std::declval<const D&>().get(
    std::int64_t{}, std::declval<Generator&>()))>;

}  // namespace mien::data
