#pragma once
// Collate: what makes one batch of several examples.

#include <concepts>
#include <cstdint>
#include <cstring>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include <mien/data/image_tensor.hpp>

namespace mien::data {

// An example with an image and the number of its class.
template <class E>
concept LabelledImage = requires(E example) {
  { (example.image) } -> std::same_as<Image&>;
  { (example.label) } -> std::convertible_to<std::int64_t>;
};

struct ImageBatch {
  Tensor<float> images;         // (n, h, w, c)
  Tensor<std::int64_t> labels;  // (n)
};

// The loader's default. Any callable takes its place that makes a batch of a vector of examples;
// several threads call it at once. It alone decides where a batch's tensors lie: one that feeds a
// GPU takes them from pinned memory (Storage's constructor with an owner, Tensor::on).
struct Collate {
  Normalization normalization = {};

  // Images of one size, as to_tensor() makes them.
  template <LabelledImage E>
  ImageBatch operator()(std::vector<E>&& examples) const {
    std::vector<Image> images;
    images.reserve(examples.size());
    Tensor<std::int64_t> labels(Shape{static_cast<std::int64_t>(examples.size())});
    std::int64_t* label = labels.mutable_data();
    for (E& example : examples) {
      images.push_back(std::move(example.image));
      *label++ = example.label;
    }
    return {to_tensor(images, normalization), std::move(labels)};
  }

  // Tensors, of one shape in each place of the tuple: stacked along a first dimension.
  template <Element... T>
  std::tuple<Tensor<T>...> operator()(std::vector<std::tuple<Tensor<T>...>>&& examples) const {
    return [&]<std::size_t... place>(std::index_sequence<place...>) {
      return std::tuple<Tensor<T>...>{stacked<place, T>(examples)...};
    }
    (std::index_sequence_for<T...>{});
  }

 private:
  template <std::size_t place, class T, class E>
  static Tensor<T> stacked(const std::vector<E>& examples) {
    const Shape& one = std::get<place>(examples.at(0)).shape();
    Shape all{static_cast<std::int64_t>(examples.size())};
    for (int i = 0; i < one.rank(); ++i) all.push_back(one[i]);
    Tensor<T> batch(all);
    T* to = batch.mutable_data();
    for (const E& example : examples) {
      const Tensor<T>& x = std::get<place>(example);
      check(x.shape() == one, "collate", "tensors of shapes ", one, " and ", x.shape(),
            " in place ", place, " of one batch");
      x.copy_to(to);
      to += x.numel();
    }
    return batch;
  }
};

}  // namespace mien::data
