#pragma once
// Everything for building and training networks: tensors, autograd, ops, layers, losses,
// optimizers.
// Images, file formats and models are included by name: <mien/data/image.hpp>,
// <mien/models/rrdbnet.hpp>.

#include <mien/autograd/gradcheck.hpp>
#include <mien/core/print.hpp>
#include <mien/core/random.hpp>
#include <mien/loss/affect.hpp>
#include <mien/loss/binary_cross_entropy.hpp>
#include <mien/loss/l1.hpp>
#include <mien/loss/mse.hpp>
#include <mien/loss/soft_cross_entropy.hpp>
#include <mien/nn/conv_bn_act.hpp>
#include <mien/nn/linear.hpp>
#include <mien/nn/prelu.hpp>
#include <mien/nn/squeeze_excite.hpp>
#include <mien/nn/summary.hpp>
#include <mien/ops/all.hpp>
#include <mien/optim/adam.hpp>
#include <mien/optim/clip_gradients.hpp>
#include <mien/optim/ema.hpp>
#include <mien/optim/parameter_groups.hpp>
#include <mien/optim/sam.hpp>
#include <mien/optim/schedule.hpp>
#include <mien/optim/sgd.hpp>
