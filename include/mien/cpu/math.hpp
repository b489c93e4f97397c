#pragma once
// exp, log, sigmoid, silu and tanh of Vec<float> and Vec<double> for the kernel bodies of every
// instruction set: kernels/mien/cpu/math.inl.

#include <cmath>
#include <limits>

#define MIEN_KERNEL_FILE <mien/cpu/math.inl>
#include <mien/cpu/foreach_isa.inl>
