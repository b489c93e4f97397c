#pragma once
// The device memory of a benchmark: several sets of the same arrays, taken in turn, so that what a
// launch reads has left the L2 cache since it was last touched.
//
//   Arrays arrays;
//   const auto x = arrays.input<float>(n), y = arrays.output<float>(n);
//   arrays.allocate(sets);
//   kernel(y.at(set), x.at(set));
//   compare(y.read(), x.values());     set 0

#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <mien/cuda/runtime.hpp>

namespace mien::bench {

// Random numbers of one type and range, on the host and on the device; arrays take pieces of them.
template <class T>
class RandomNumbers {
 public:
  static constexpr std::size_t size = std::size_t{1} << 20;

  static const RandomNumbers& between(float low, float high) {
    static std::map<std::pair<float, float>, RandomNumbers> known;
    const auto found = known.find({low, high});
    if (found != known.end()) return found->second;
    return known.try_emplace({low, high}, low, high).first->second;
  }

  RandomNumbers(float low, float high) : host_(size), device_(size * sizeof(T)) {
    std::mt19937 generator(1);
    for (T& value : host_)
      value = static_cast<T>(low + (high - low) * static_cast<float>(generator() >> 8) * 0x1p-24f);
    cuda::check_cuda(
        cudaMemcpy(device_.data(), host_.data(), size * sizeof(T), cudaMemcpyHostToDevice),
        "random numbers");
  }

  // Calls f(piece's first, piece's size, elements before it) for n elements from `begin` on, round
  // and round.
  template <class F>
  static void each_piece(std::size_t n, std::size_t begin, const F& f) {
    for (std::size_t done = 0; done < n;) {
      const std::size_t first = (begin + done) % size, count = std::min(n - done, size - first);
      f(first, count, done);
      done += count;
    }
  }

  const T* host() const { return host_.data(); }
  const T* device() const { return static_cast<const T*>(device_.data()); }

 private:
  std::vector<T> host_;
  cuda::Memory device_;
};

class Arrays;

// One array of n elements in every set.
template <class T>
class Array {
 public:
  T* at(int set) const;
  std::vector<T> read() const;                         // of set 0, from the device
  std::vector<T> values() const { return values_(); }  // of set 0, before the first launch
  std::int64_t size() const { return size_; }

 private:
  friend Arrays;
  Arrays* owner_ = nullptr;
  std::size_t offset_ = 0;
  std::int64_t size_ = 0;
  std::function<std::vector<T>()> values_;
};

class Arrays {
 public:
  Arrays() = default;
  Arrays(const Arrays&) = delete;
  Arrays& operator=(const Arrays&) = delete;

  // Random numbers from low to high, others in every array and set.
  template <class T>
  Array<T> input(std::int64_t n, float low = -1, float high = 1) {
    const std::size_t begin = fields_.size() * 1'000'003, count = static_cast<std::size_t>(n);
    const auto fill = [=](void* to, int set) {
      const auto& numbers = RandomNumbers<T>::between(low, high);
      numbers.each_piece(count, begin + static_cast<std::size_t>(set) * 7'919,
                         [&](std::size_t first, std::size_t size, std::size_t done) {
                           copy(static_cast<T*>(to) + done, numbers.device() + first,
                                size * sizeof(T));
                         });
    };
    Array<T> array = add<T>(n, fill);
    array.values_ = [=] {
      std::vector<T> values(count);
      const auto& numbers = RandomNumbers<T>::between(low, high);
      numbers.each_piece(count, begin, [&](std::size_t first, std::size_t size, std::size_t done) {
        std::copy_n(numbers.host() + first, size,
                    values.begin() + static_cast<std::ptrdiff_t>(done));
      });
      return values;
    };
    return array;
  }

  // The same values in every set: labels, tables.
  template <class T>
  Array<T> constant(std::vector<T> values) {
    Array<T> array = add<T>(std::ssize(values), [values](void* to, int) {
      copy(to, values.data(), values.size() * sizeof(T));
    });
    array.values_ = [values] { return values; };
    return array;
  }

  // Every byte 0xFF, NaN in every float type, until a kernel writes it.
  template <class T>
  Array<T> output(std::int64_t n) {
    const Array<T> array = fill_bytes<T>(n, 0xFF);
    outputs_.emplace_back(array.offset_, static_cast<std::size_t>(n) * sizeof(T), sizeof(T));
    return array;
  }

  // The same for what need not be written whole.
  template <class T>
  Array<T> workspace(std::int64_t n) {
    return fill_bytes<T>(n, 0xFF);
  }

  // Workspaces that must be zero before a launch.
  template <class T>
  Array<T> zeros(std::int64_t n) {
    return fill_bytes<T>(n, 0);
  }

  std::size_t set_bytes() const { return set_bytes_; }
  int sets() const { return sets_; }

  void allocate(int sets) {
    sets_ = sets;
    memory_.emplace(std::max<std::size_t>(static_cast<std::size_t>(sets) * set_bytes_, 1));
    for (int set = 0; set < sets; ++set)
      for (const auto& [offset, fill] : fields_) fill(address(set, offset), set);
    cuda::check_cuda(cudaDeviceSynchronize(), "filling arrays");
  }

  std::byte* address(int set, std::size_t offset) const {
    return static_cast<std::byte*>(memory_->data()) + static_cast<std::size_t>(set) * set_bytes_ +
           offset;
  }

  // Whether a kernel left elements at an end of an output of set 0 unwritten: what a check at a
  // reduced size cannot see.
  bool left_unwritten() const {
    for (const auto& [offset, bytes, element] : outputs_) {
      const std::size_t count = std::min<std::size_t>(bytes / element, 4096) * element;
      if (has_poison(address(0, offset), count, element) ||
          has_poison(address(0, offset) + (bytes - count), count, element))
        return true;
    }
    return false;
  }

 private:
  struct Field {
    std::size_t offset;
    std::function<void(void* to, int set)> fill;
  };
  struct Output {
    Output(std::size_t o, std::size_t b, std::size_t e) : offset(o), bytes(b), element(e) {}
    std::size_t offset, bytes, element;
  };

  static void copy(void* to, const void* from, std::size_t bytes) {
    cuda::check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, nullptr), "copy");
  }

  static bool has_poison(const std::byte* from, std::size_t bytes, std::size_t element) {
    std::vector<unsigned char> got(bytes);
    cuda::check_cuda(cudaMemcpy(got.data(), from, bytes, cudaMemcpyDeviceToHost), "outputs");
    if (element == 1) return false;  // 255 is a pixel
    for (std::size_t i = 0; i + element <= bytes; i += element)
      if (std::all_of(got.begin() + static_cast<std::ptrdiff_t>(i),
                      got.begin() + static_cast<std::ptrdiff_t>(i + element),
                      [](unsigned char byte) { return byte == 0xFF; }))
        return true;
    return false;
  }

  template <class T>
  Array<T> fill_bytes(std::int64_t n, int byte) {
    const std::size_t bytes = static_cast<std::size_t>(n) * sizeof(T);
    return add<T>(n, [=](void* to, int) {
      cuda::check_cuda(cudaMemsetAsync(to, byte, bytes, nullptr), "memset");
    });
  }

  template <class T>
  Array<T> add(std::int64_t n, std::function<void(void*, int)> fill) {
    Array<T> array;
    array.owner_ = this;
    array.offset_ = set_bytes_;
    array.size_ = n;
    fields_.push_back({set_bytes_, std::move(fill)});
    set_bytes_ += (static_cast<std::size_t>(n) * sizeof(T) + 255) / 256 * 256;
    return array;
  }

  std::vector<Field> fields_;
  std::vector<Output> outputs_;
  std::size_t set_bytes_ = 0;
  int sets_ = 0;
  std::optional<cuda::Memory> memory_;
};

template <class T>
T* Array<T>::at(int set) const {
  return reinterpret_cast<T*>(owner_->address(set, offset_));
}

template <class T>
std::vector<T> Array<T>::read() const {
  std::vector<T> values(static_cast<std::size_t>(size_));
  cuda::check_cuda(
      cudaMemcpy(values.data(), at(0), values.size() * sizeof(T), cudaMemcpyDeviceToHost), "read");
  return values;
}

}  // namespace mien::bench
