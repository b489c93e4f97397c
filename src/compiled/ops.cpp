// The ops that MIEN_INSTANCE names, for float.
#include <mien/ops/all.hpp>
