#!/usr/bin/env python3
"""PyTorch's values and gradients for every op sample: writes ops.safetensors beside this file.

    build/release/bin/op_samples /tmp/samples.safetensors
    python3 tests/golden/ops/make_ops.py /tmp/samples.safetensors

Needs torch and safetensors (the committed file: torch 2.9 or as its metadata says). Each sample
carries its PyTorch expression over x[0], x[1], ...; tensors are in mien's layouts (NHWC images,
(kh, kw, in, out) weights), which the helpers below turn into PyTorch's. All in float64.
"""

import os
import sys

import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import save_file


def nchw(t):
    return t.permute(0, 3, 1, 2)


def nhwc(t):
    return t.permute(0, 2, 3, 1)


def oihw(w):
    return w.permute(3, 2, 0, 1)


def dw(w):
    return w.permute(2, 0, 1).unsqueeze(1)


def main():
    results = {}
    with safe_open(sys.argv[1], framework="pt") as samples:
        names = set(samples.keys())
        for key, expression in sorted(samples.metadata().items()):
            x = {}
            for i in range(16):
                if f"{key}/x{i}" in names:
                    x[i] = samples.get_tensor(f"{key}/x{i}").requires_grad_()
            dy = samples.get_tensor(f"{key}/dy")
            scope = dict(x=x, torch=torch, F=F, nchw=nchw, nhwc=nhwc, oihw=oihw, dw=dw)
            y = eval(expression, scope)  # expressions come from mien's own op files
            assert y.shape == dy.shape, f"{key}: torch gives {tuple(y.shape)}, mien {tuple(dy.shape)}"
            y.backward(dy)
            results[f"{key}/y"] = y.detach().contiguous()
            results[f"{key}/inputs_sum"] = sum(t.detach().sum() for t in [*x.values(), dy])
            for i, t in x.items():
                results[f"{key}/dx{i}"] = (torch.zeros_like(t) if t.grad is None else t.grad).contiguous()
    out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "ops.safetensors")
    save_file(results, out, metadata={"torch": torch.__version__})
    print(f"{len(results)} tensors, {os.path.getsize(out)} bytes -> {out}")


if __name__ == "__main__":
    main()
