#pragma once
// Every loss that is an op.

#include <mien/loss/binary_cross_entropy.hpp>
#include <mien/loss/ccc.hpp>
#include <mien/loss/cross_entropy.hpp>
#include <mien/loss/l1.hpp>
#include <mien/loss/mse.hpp>
#include <mien/loss/soft_cross_entropy.hpp>
#include <mien/ops/all.hpp>

namespace mien::test {

using LossOps =
    TypeList<ops::CrossEntropy, ops::SoftCrossEntropy, ops::BinaryCrossEntropy,
             ops::Difference<ops::SquaredError>, ops::Difference<ops::AbsoluteError>, ops::Ccc>;

}  // namespace mien::test
