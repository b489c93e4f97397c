#pragma once
// Everything for building and training networks: tensors, autograd, ops, layers, optimizers.
// Images, file formats and models are included by name: <mien/data/image.hpp>,
// <mien/models/rrdbnet.hpp>.

#include <mien/autograd/gradcheck.hpp>
#include <mien/core/print.hpp>
#include <mien/core/random.hpp>
#include <mien/nn/conv_bn_act.hpp>
#include <mien/nn/linear.hpp>
#include <mien/nn/prelu.hpp>
#include <mien/nn/squeeze_excite.hpp>
#include <mien/nn/summary.hpp>
#include <mien/ops/all.hpp>
#include <mien/optim/sgd.hpp>
