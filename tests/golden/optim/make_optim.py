#!/usr/bin/env python3
"""Weights along five steps of torch's optimizers, and schedules: writes optim.safetensors beside this
file.

    python3 tests/golden/optim/make_optim.py

Needs torch and safetensors (the versions behind the committed file are in its metadata). The loss is
a sum over rows of (tanh(x A) - y)^2 of a weight A (7, 5), plus a bias b (5). Tensors are float64:
x, y, start.A, start.b, and for each case NAME.STEP.A and NAME.STEP.b. Step 3 has no gradient of b.
Schedules: schedule.NAME, the factor at steps 0, 1, ...
"""

from importlib.metadata import version
from pathlib import Path

import torch
from safetensors.torch import save_file

SGD, ADAM, ADAMW = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW
CASES = {  # name: optimizer, options, rho of SAM or None, adaptive, clipping or None
    "sgd": (SGD, dict(lr=0.1), None, False, None),
    "sgd_momentum": (SGD, dict(lr=0.05, momentum=0.9, weight_decay=0.001), None, False, None),
    "sgd_nesterov": (SGD, dict(lr=0.05, momentum=0.8, nesterov=True), None, False, None),
    "adam": (ADAM, dict(lr=0.03), None, False, None),
    "adam_decay": (ADAM, dict(lr=0.03, betas=(0.8, 0.95), eps=1e-4, weight_decay=0.01), None, False,
                   None),
    "adamw": (ADAMW, dict(lr=0.03, weight_decay=0.1), None, False, None),
    "clipped": (SGD, dict(lr=0.1), None, False, 0.5),
    "sam_sgd": (SGD, dict(lr=0.05, momentum=0.9), 0.05, False, None),
    "sam_adam": (ADAM, dict(lr=0.03), 0.05, False, None),
    "asam_adam": (ADAM, dict(lr=0.03), 0.5, True, None),
}
STEPS = 5
STEP_WITHOUT_BIAS = 3


def climb(parameters, rho, adaptive):
    """Moves the weights by SAM's perturbation and gives it back."""
    def scaled(w):
        return w.abs() * w.grad if adaptive else w.grad
    norm = torch.stack([scaled(w).norm() for w in parameters]).norm()
    moves = [(w ** 2 if adaptive else 1) * w.grad * rho / (norm + 1e-12) for w in parameters]
    with torch.no_grad():
        for w, move in zip(parameters, moves):
            w.add_(move)
    return moves


def run(name, tensors):
    kind, options, rho, adaptive, most = CASES[name]
    x, y = tensors["x"], tensors["y"]
    a = tensors["start.A"].clone().requires_grad_()
    b = tensors["start.b"].clone().requires_grad_()
    optimizer = kind([a, b], **options)

    def backward(step):
        optimizer.zero_grad()
        bias = b.detach() if step == STEP_WITHOUT_BIAS else b
        ((torch.tanh(x @ a + bias) - y) ** 2).sum().backward()
        return [w for w in (a, b) if w.grad is not None]

    for step in range(1, STEPS + 1):
        trained = backward(step)
        if rho is not None:
            moves = climb(trained, rho, adaptive)
            backward(step)
            with torch.no_grad():
                for w, move in zip(trained, moves):
                    w.sub_(move)
        if most is not None:
            torch.nn.utils.clip_grad_norm_(trained, most)
        optimizer.step()
        tensors[f"{name}.{step}.A"] = a.detach().clone()
        tensors[f"{name}.{step}.b"] = b.detach().clone()


def schedule(make, steps):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler, factors = make(optimizer), []
    for _ in range(steps):
        factors.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return torch.tensor(factors, dtype=torch.float64)


def main():
    torch.manual_seed(0)
    lr = torch.optim.lr_scheduler
    tensors = {key: torch.randn(*shape, dtype=torch.float64) for key, shape in
               {"x": (11, 7), "y": (11, 5), "start.A": (7, 5), "start.b": (5,)}.items()}
    for name in CASES:
        run(name, tensors)
    tensors["schedule.step"] = schedule(lambda o: lr.StepLR(o, step_size=3, gamma=0.5), 10)
    tensors["schedule.cosine"] = schedule(
        lambda o: lr.CosineAnnealingLR(o, T_max=8, eta_min=0.1), 9)
    tensors["schedule.warmup"] = schedule(
        lambda o: lr.SequentialLR(o, [lr.LinearLR(o, 0.2, 1.0, total_iters=4),
                                      lr.CosineAnnealingLR(o, T_max=8)], [4]), 12)
    metadata = {"torch": torch.__version__, "safetensors": version("safetensors")}
    out = Path(__file__).resolve().parent / "optim.safetensors"
    save_file(tensors, out, metadata=metadata)
    print(f"{len(tensors)} tensors, {out.stat().st_size} bytes -> {out}")


if __name__ == "__main__":
    main()
