// The ops that MIEN_INSTANCE names, for float.
#define MIEN_COMPILED_DEFINITIONS
#include <mien/ops/all.hpp>
