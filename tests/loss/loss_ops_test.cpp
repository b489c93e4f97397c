#include "loss/loss_ops.hpp"

#include "support/op_checks.hpp"

namespace {
[[maybe_unused]] const bool registered = mien::test::register_ops(mien::test::LossOps{});
}
