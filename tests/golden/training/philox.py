"""mien's random numbers (include/mien/core/random.hpp) in numpy, bit for bit: uniform draws only."""

import numpy as np

MASK = np.uint64(0xFFFFFFFF)


def philox(counter_low, counter_high, key):
    """Four arrays of 32-bit words for arrays of 64-bit counters."""
    low, high = np.broadcast_arrays(np.asarray(counter_low, np.uint64),
                                    np.asarray(counter_high, np.uint64))
    shift = np.uint64(32)
    c = [low & MASK, low >> shift, high & MASK, high >> shift]
    k0, k1 = key & 0xFFFFFFFF, key >> 32
    for _ in range(10):
        p0, p1 = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(p1 >> shift) ^ c[1] ^ np.uint64(k0), p1 & MASK,
             (p0 >> shift) ^ c[3] ^ np.uint64(k1), p0 & MASK]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c


class Generator:
    def __init__(self, seed):
        self.seed, self.offset = seed, 0

    def stream(self, a, b=0):
        words = philox(a, b, self.seed ^ 0x9E3779B97F4A7C15)
        return Generator(int(words[1]) << 32 | int(words[0]))

    def rand(self, shape, low=0.0, high=1.0):
        """float64: low + (high - low) u, u of 24 bits."""
        count = int(np.prod(shape))
        words = philox(np.arange((count + 3) // 4), self.offset, self.seed)
        self.offset += 1
        unit = (np.stack(words, 1).reshape(-1)[:count] >> np.uint64(8)).astype(np.float64) * 2.0**-24
        return (low + (high - low) * unit).reshape(shape)
