"""A benchmark in PyTorch: the same name, shape and type as in mien_cuda_bench.

NHWC is channels_last here, padding is symmetric (mien's is TensorFlow's; sizes are the same).
"""

from dataclasses import dataclass
from typing import Callable

import torch

BATCHES = (1, 8, 64, 256)
DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}


@dataclass
class Case:
    """function(*prepare(make, wrap)) is one call; wrap is torch.compile or does nothing."""

    name: str
    quick: bool
    prepare: Callable
    function: Callable
    compiles: bool = True  # False: one library call, of which torch.compile makes the same
    slow_compile: bool = False

    @property
    def kernel(self):
        return self.name.split("/")[0]


class Make:
    """Random inputs; small ones where the code is only tried."""

    def __init__(self, device, small=False):
        self.device, self.small = device, small
        self.generator = torch.Generator(device).manual_seed(1)

    def batch(self, n):
        return min(n, 2) if self.small else n

    def side(self, size):
        return min(size, 8) if self.small else size

    def numbers(self, *shape, low=-1.0, high=1.0, dtype=torch.float32):
        values = torch.rand(shape, generator=self.generator, device=self.device)
        return (low + (high - low) * values).to(dtype)

    def image(self, n, c, size, dtype, low=-1.0, high=1.0):
        values = self.numbers(self.batch(n), size, size, c, low=low, high=high, dtype=dtype)
        return values.permute(0, 3, 1, 2)

    def filter(self, out, fan_in, kernel, dtype):
        a = (3 / (fan_in * kernel * kernel)) ** 0.5
        w = self.numbers(out, fan_in, kernel, kernel, low=-a, high=a, dtype=dtype)
        return w.contiguous(memory_format=torch.channels_last)


def identity(function):
    return function


def is_quick(dtype, batch, typical):
    if dtype == "bf16":
        return batch == 64 or (batch == 1 and typical)
    return dtype == "f32" and batch == 64 and typical


def gradient(forward, inputs):
    """prepare and function of a backward alone: forward(*inputs(make)) is kept, dy is random."""

    def prepare(make, wrap):
        arguments = [a.requires_grad_() if a.is_floating_point() else a for a in inputs(make)]
        y = wrap(forward)(*arguments)
        dy = torch.rand_like(y) - 0.5
        return y, [a for a in arguments if a.requires_grad], dy

    def function(y, arguments, dy):
        return torch.autograd.grad(y, arguments, dy, retain_graph=True)

    return prepare, function


def plain(inputs, function):
    """prepare and function of a call without gradients."""
    return (lambda make, wrap: (wrap(function), *inputs(make))), (lambda f, *a: f(*a))
