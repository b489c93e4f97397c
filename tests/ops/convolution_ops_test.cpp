#include <mien/ops/all.hpp>

#include "support/op_checks.hpp"

namespace {
[[maybe_unused]] const bool registered = mien::test::register_ops(mien::ops::ConvolutionOps{});
}
