#include "cuda/cudnn.hpp"

#if MIEN_BENCH_CUDNN

#include <cudnn.h>

#include <memory>
#include <optional>

// Its older calls do all that is needed here and are deprecated since version 9.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace mien::bench::cudnn {
namespace {

void check_cudnn(cudnnStatus_t status, const char* what) {
  if (status != CUDNN_STATUS_SUCCESS) fail("cudnn", str(what, ": ", cudnnGetErrorString(status)));
}

cudnnHandle_t handle() {
  static const cudnnHandle_t made = [] {
    cudnnHandle_t h = nullptr;
    check_cudnn(cudnnCreate(&h), "cudnnCreate");
    return h;
  }();
  return made;
}

cudnnHandle_t handle(const Cuda& device) {
  check_cudnn(cudnnSetStream(handle(), device.stream), "cudnnSetStream");
  return handle();
}

// A descriptor that is destroyed with its last copy.
template <class D>
std::shared_ptr<std::remove_pointer_t<D>> make(cudnnStatus_t (*create)(D*),
                                               cudnnStatus_t (*destroy)(D)) {
  D descriptor = nullptr;
  check_cudnn(create(&descriptor), "a descriptor");
  return {descriptor, [destroy](D d) { destroy(d); }};
}

template <kernels::Storage T>
inline constexpr cudnnDataType_t data_type = std::is_same_v<T, float> ? CUDNN_DATA_FLOAT
                                             : std::is_same_v<T, f16> ? CUDNN_DATA_HALF
                                                                      : CUDNN_DATA_BFLOAT16;

template <kernels::Storage T>
auto tensor(const Tensor& t) {
  auto d = make(cudnnCreateTensorDescriptor, cudnnDestroyTensorDescriptor);
  check_cudnn(
      cudnnSetTensor4dDescriptor(d.get(), CUDNN_TENSOR_NHWC, data_type<T>, t.n, t.c, t.h, t.w),
      "a tensor");
  return d;
}

std::int64_t count(const Tensor& t) { return std::int64_t{t.n} * t.h * t.w * t.c; }

constexpr float one = 1, zero = 0;

template <kernels::Storage T>
struct Descriptors {
  decltype(tensor<T>({})) x, y;
  std::shared_ptr<cudnnFilterStruct> w;
  std::shared_ptr<cudnnConvolutionStruct> conv;

  explicit Descriptors(const Convolution& c)
      : x(tensor<T>(c.x)),
        y(tensor<T>(c.y)),
        w(make(cudnnCreateFilterDescriptor, cudnnDestroyFilterDescriptor)),
        conv(make(cudnnCreateConvolutionDescriptor, cudnnDestroyConvolutionDescriptor)) {
    check_cudnn(cudnnSetFilter4dDescriptor(w.get(), data_type<T>, CUDNN_TENSOR_NHWC, c.y.c,
                                           c.x.c / c.groups, c.kernel, c.kernel),
                "a filter");
    check_cudnn(cudnnSetConvolution2dDescriptor(conv.get(), c.pad, c.pad, c.stride, c.stride, 1, 1,
                                                CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT),
                "a convolution");
    check_cudnn(cudnnSetConvolutionGroupCount(conv.get(), c.groups), "groups");
    // Floats stay floats: no tf32.
    const auto math = std::is_same_v<T, float> ? CUDNN_FMA_MATH : CUDNN_TENSOR_OP_MATH;
    check_cudnn(cudnnSetConvolutionMathType(conv.get(), math), "the kind of arithmetic");
  }
};

// The fastest of the algorithms that `find` tried, and its arithmetic; floats stay floats.
template <class Result, kernels::Storage T, class F>
Result fastest(const Descriptors<T>& d, const F& find) {
  constexpr bool exact = std::is_same_v<T, float>;
  Result results[16] = {};
  int got = 0;
  check_cudnn(find(16, &got, results), "search of an algorithm");
  for (int i = 0; i < got; ++i) {
    const Result& r = results[i];
    const bool rounds = r.mathType != CUDNN_FMA_MATH && r.mathType != CUDNN_DEFAULT_MATH;
    if (r.status != CUDNN_STATUS_SUCCESS || r.memory >= (std::size_t{4} << 30) || (exact && rounds))
      continue;
    if (!exact) check_cudnn(cudnnSetConvolutionMathType(d.conv.get(), r.mathType), "arithmetic");
    return r;
  }
  fail("cudnn", "no algorithm for this shape");
}

}  // namespace

std::string version() {
  const std::size_t v = cudnnGetVersion();
  return str(v / 10000, '.', v / 100 % 100, '.', v % 100);
}

template <kernels::Storage T>
Work convolution(Arrays& arrays, const Convolution& c, Pass pass) {
  const Descriptors<T> d(c);
  const std::int64_t weights = std::int64_t{c.y.c} * (c.x.c / c.groups) * c.kernel * c.kernel;
  const auto x = arrays.input<T>(count(c.x)), y = arrays.input<T>(count(c.y)),
             w = arrays.input<T>(weights);
  const auto space = [&](std::size_t bytes) {
    return arrays.zeros<std::uint8_t>(static_cast<std::int64_t>(bytes));
  };
  cudnnHandle_t h = handle();
  if (pass == Pass::forward) {
    const auto best =
        fastest<cudnnConvolutionFwdAlgoPerf_t>(d, [&](int n, int* got, auto* results) {
          return cudnnFindConvolutionForwardAlgorithm(h, d.x.get(), d.w.get(), d.conv.get(),
                                                      d.y.get(), n, got, results);
        });
    return {[=, work = space(best.memory)](const Cuda& device, int set) {
      check_cudnn(cudnnConvolutionForward(handle(device), &one, d.x.get(), x.at(set), d.w.get(),
                                          w.at(set), d.conv.get(), best.algo, work.at(set),
                                          best.memory, &zero, d.y.get(), y.at(set)),
                  "forward");
    }};
  }
  if (pass == Pass::data_grad) {
    const auto best =
        fastest<cudnnConvolutionBwdDataAlgoPerf_t>(d, [&](int n, int* got, auto* results) {
          return cudnnFindConvolutionBackwardDataAlgorithm(h, d.w.get(), d.y.get(), d.conv.get(),
                                                           d.x.get(), n, got, results);
        });
    return {[=, work = space(best.memory)](const Cuda& device, int set) {
      check_cudnn(
          cudnnConvolutionBackwardData(handle(device), &one, d.w.get(), w.at(set), d.y.get(),
                                       y.at(set), d.conv.get(), best.algo, work.at(set),
                                       best.memory, &zero, d.x.get(), x.at(set)),
          "data gradient");
    }};
  }
  const auto best =
      fastest<cudnnConvolutionBwdFilterAlgoPerf_t>(d, [&](int n, int* got, auto* results) {
        return cudnnFindConvolutionBackwardFilterAlgorithm(h, d.x.get(), d.y.get(), d.conv.get(),
                                                           d.w.get(), n, got, results);
      });
  return {[=, work = space(best.memory)](const Cuda& device, int set) {
    check_cudnn(cudnnConvolutionBackwardFilter(
                    handle(device), &one, d.x.get(), x.at(set), d.y.get(), y.at(set), d.conv.get(),
                    best.algo, work.at(set), best.memory, &zero, d.w.get(), w.at(set)),
                "weight gradient");
  }};
}

namespace {

auto swish_activation() {
  auto d = make(cudnnCreateActivationDescriptor, cudnnDestroyActivationDescriptor);
  check_cudnn(
      cudnnSetActivationDescriptor(d.get(), CUDNN_ACTIVATION_SWISH, CUDNN_NOT_PROPAGATE_NAN, 0),
      "swish");
  check_cudnn(cudnnSetActivationDescriptorSwishBeta(d.get(), 1), "swish");
  return d;
}

}  // namespace

template <kernels::Storage T>
Work swish(Arrays& arrays, const Tensor& shape) {
  const auto t = tensor<T>(shape);
  const auto x = arrays.input<T>(count(shape), -6, 6), y = arrays.output<T>(count(shape));
  return {[=, activation = swish_activation()](const Cuda& device, int set) {
    check_cudnn(cudnnActivationForward(handle(device), activation.get(), &one, t.get(), x.at(set),
                                       &zero, t.get(), y.at(set)),
                "swish");
  }};
}

template <kernels::Storage T>
Work swish_backward(Arrays& arrays, const Tensor& shape) {
  const auto t = tensor<T>(shape);
  const std::int64_t n = count(shape);
  const auto x = arrays.input<T>(n, -6, 6), y = arrays.input<T>(n), dy = arrays.input<T>(n),
             dx = arrays.output<T>(n);
  return {[=, activation = swish_activation()](const Cuda& device, int set) {
    check_cudnn(
        cudnnActivationBackward(handle(device), activation.get(), &one, t.get(), y.at(set), t.get(),
                                dy.at(set), t.get(), x.at(set), &zero, t.get(), dx.at(set)),
        "swish's gradient");
  }};
}

namespace {

constexpr auto norm_mode = CUDNN_BATCHNORM_SPATIAL_PERSISTENT;

auto norm_parameters(const std::shared_ptr<cudnnTensorStruct>& x) {
  auto d = make(cudnnCreateTensorDescriptor, cudnnDestroyTensorDescriptor);
  check_cudnn(cudnnDeriveBNTensorDescriptor(d.get(), x.get(), norm_mode), "batch norm");
  return d;
}

}  // namespace

template <kernels::Storage T>
Work batch_norm(Arrays& arrays, const Tensor& shape) {
  const auto t = tensor<T>(shape);
  const auto parameters = norm_parameters(t);
  const std::int64_t n = count(shape);
  const auto x = arrays.input<T>(n), y = arrays.output<T>(n);
  const auto scale = arrays.input<float>(shape.c, 0.5f, 2), bias = arrays.input<float>(shape.c),
             mean = arrays.zeros<float>(shape.c), variance = arrays.zeros<float>(shape.c),
             saved_mean = arrays.output<float>(shape.c), saved = arrays.output<float>(shape.c);
  return {[=](const Cuda& device, int set) {
    check_cudnn(cudnnBatchNormalizationForwardTraining(
                    handle(device), norm_mode, &one, &zero, t.get(), x.at(set), t.get(), y.at(set),
                    parameters.get(), scale.at(set), bias.at(set), 0.1, mean.at(set),
                    variance.at(set), 1e-3, saved_mean.at(set), saved.at(set)),
                "batch norm");
  }};
}

template <kernels::Storage T>
Work batch_norm_backward(Arrays& arrays, const Tensor& shape) {
  const auto t = tensor<T>(shape);
  const auto parameters = norm_parameters(t);
  const std::int64_t n = count(shape);
  const auto x = arrays.input<T>(n), dy = arrays.input<T>(n), dx = arrays.output<T>(n);
  const auto scale = arrays.input<float>(shape.c, 0.5f, 2), d_scale = arrays.output<float>(shape.c),
             d_bias = arrays.output<float>(shape.c), mean = arrays.input<float>(shape.c),
             saved = arrays.input<float>(shape.c, 0.5f, 2);
  return {[=](const Cuda& device, int set) {
    check_cudnn(cudnnBatchNormalizationBackward(
                    handle(device), norm_mode, &one, &zero, &one, &zero, t.get(), x.at(set),
                    t.get(), dy.at(set), t.get(), dx.at(set), parameters.get(), scale.at(set),
                    d_scale.at(set), d_bias.at(set), 1e-3, mean.at(set), saved.at(set)),
                "batch norm's gradient");
  }};
}

#else

namespace mien::bench::cudnn {

std::string version() { return {}; }

template <kernels::Storage T>
Work convolution(Arrays&, const Convolution&, Pass) {
  return {};
}
template <kernels::Storage T>
Work swish(Arrays&, const Tensor&) {
  return {};
}
template <kernels::Storage T>
Work swish_backward(Arrays&, const Tensor&) {
  return {};
}
template <kernels::Storage T>
Work batch_norm(Arrays&, const Tensor&) {
  return {};
}
template <kernels::Storage T>
Work batch_norm_backward(Arrays&, const Tensor&) {
  return {};
}

#endif

#define MIEN_INSTANCES(T)                                          \
  template Work convolution<T>(Arrays&, const Convolution&, Pass); \
  template Work swish<T>(Arrays&, const Tensor&);                  \
  template Work swish_backward<T>(Arrays&, const Tensor&);         \
  template Work batch_norm<T>(Arrays&, const Tensor&);             \
  template Work batch_norm_backward<T>(Arrays&, const Tensor&);

MIEN_INSTANCES(float)
MIEN_INSTANCES(f16)
MIEN_INSTANCES(bf16)

}  // namespace mien::bench::cudnn
