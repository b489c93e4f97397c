#pragma once
// Loops over arrays by vectors, for kernel bodies.

#include <cstdint>

#include <mien/cpu/isa.hpp>
#include <mien/cpu/simd.hpp>

#define MIEN_KERNEL_FILE <mien/cpu/vectors.inl>
#include <mien/cpu/foreach_isa.inl>
