#pragma once
// What changes an image before a network sees it, at random or not:
//
//   const auto augment = compose(ColorJitter({.brightness = 0.3, .hue = 0.1}),
//                                Resize{.width = 224, .height = 224}, RandomHorizontalFlip{});
//   image = augment(std::move(image), random);
//
// A transform is any object that is called so; a lambda will do. Random choices are drawn from the
// generator alone.

#include <concepts>
#include <utility>

#include <mien/core/random.hpp>
#include <mien/data/image.hpp>

namespace mien::data {

template <class T>
concept Transform = requires(const T& transform, Image image, Generator& random) {
  { transform(std::move(image), random) } -> std::same_as<Image>;
};

// One transform that applies these in turn.
template <Transform... T>
auto compose(T... transforms) {
  return [... transforms = std::move(transforms)](Image image, Generator& random) {
    ((image = transforms(std::move(image), random)), ...);
    return image;
  };
}

}  // namespace mien::data
