#!/usr/bin/env python3
"""Weights along five steps of torch.optim.SGD: writes sgd.safetensors beside this file.

    python3 tests/golden/optim/make_sgd.py

Needs torch and safetensors (the versions behind the committed file are in its metadata). Each case
has the tensors start, gradient.1 to gradient.5 and weight.1 to weight.5, all float64, and its
options as metadata. No gradient arrives in step 3: the weight then stays as it is.
"""

from importlib.metadata import version
from pathlib import Path

import torch
from safetensors.torch import save_file

CASES = {
    "plain": dict(lr=0.1, momentum=0.0, weight_decay=0.0),
    "momentum": dict(lr=0.05, momentum=0.9, weight_decay=0.0),
    "decay": dict(lr=0.1, momentum=0.0, weight_decay=0.01),
    "both": dict(lr=0.03, momentum=0.8, weight_decay=0.001),
}
STEPS = 5
STEP_WITHOUT_GRADIENT = 3


def main():
    torch.manual_seed(0)
    tensors = {}
    metadata = {"torch": torch.__version__, "safetensors": version("safetensors")}
    for name, options in CASES.items():
        metadata[name] = " ".join(f"{key}={value}" for key, value in options.items())
        weight = torch.randn(3, 7, dtype=torch.float64, requires_grad=True)
        tensors[f"{name}.start"] = weight.detach().clone()
        optimizer = torch.optim.SGD([weight], **options)
        for step in range(1, STEPS + 1):
            weight.grad = None
            if step != STEP_WITHOUT_GRADIENT:
                weight.grad = torch.randn(3, 7, dtype=torch.float64)
                tensors[f"{name}.gradient.{step}"] = weight.grad.clone()
            optimizer.step()
            tensors[f"{name}.weight.{step}"] = weight.detach().clone()
    out = Path(__file__).resolve().parent / "sgd.safetensors"
    save_file(tensors, out, metadata=metadata)
    print(f"{len(tensors)} tensors, {out.stat().st_size} bytes -> {out}")


if __name__ == "__main__":
    main()
