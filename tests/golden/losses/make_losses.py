#!/usr/bin/env python3
"""Losses and their gradients by PyTorch: writes losses.safetensors beside this file.

    python3 tests/golden/losses/make_losses.py

Needs torch and safetensors (the versions behind the committed file are in its metadata). Inputs are
shared by all cases; each case has a loss and the gradient of the logits under a name that says its
options: cross_entropy.LABELS.WEIGHTED.SMOOTHING.REDUCTION, with label -100 ignored,
binary_cross_entropy.MASKED.WEIGHTED.REDUCTION, and affect.MASKED.REDUCTION, which also has its
three terms. Floats are float64, but exact in float32.
"""

import itertools
from importlib.metadata import version
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

WEIGHTS = ("plain", "weighted")
REDUCTIONS = ("mean", "sum")


def rand(low, high, *shape):
    return (low + (high - low) * torch.rand(*shape)).double()


def with_gradient(tensors, name, logits, loss_of):
    x = logits.clone().requires_grad_()
    loss = loss_of(x)
    loss.backward()
    tensors[f"{name}.loss"] = loss.detach().reshape(1)
    tensors[f"{name}.gradient"] = x.grad


def cross_entropy(tensors):
    logits = rand(-4, 4, 9, 5)
    labels = torch.tensor([3, 0, -100, 4, 4, 1, -100, 2, 0])
    probabilities = rand(0, 1, 9, 5)
    weight = rand(0.5, 1.5, 5)
    tensors.update({
        "cross_entropy.logits": logits,
        "cross_entropy.labels": labels,
        "cross_entropy.probabilities": probabilities,
        "cross_entropy.weight": weight,
    })
    targets = {"labels": labels, "probabilities": probabilities}
    for target, weighted, smoothing, reduction in itertools.product(
        targets, WEIGHTS, (0, 0.125), REDUCTIONS
    ):
        with_gradient(
            tensors, f"cross_entropy.{target}.{weighted}.{smoothing}.{reduction}", logits,
            lambda x: F.cross_entropy(
                x, targets[target], weight=weight if weighted == "weighted" else None,
                label_smoothing=smoothing, reduction=reduction))


def binary_cross_entropy(tensors):
    logits = rand(-4, 4, 7, 4)
    labels = torch.randint(0, 5, (7, 4)).double() / 4
    mask = torch.rand(7, 4) < 0.7
    pos_weight = rand(0, 4, 4)
    tensors.update({
        "binary_cross_entropy.logits": logits,
        "binary_cross_entropy.labels": labels,
        "binary_cross_entropy.mask": mask,
        "binary_cross_entropy.pos_weight": pos_weight,
    })
    for masked, weighted, reduction in itertools.product(("whole", "masked"), WEIGHTS, REDUCTIONS):
        chosen = mask if masked == "masked" else torch.ones_like(mask)
        of_unit = pos_weight if weighted == "weighted" else torch.ones_like(pos_weight)
        with_gradient(
            tensors, f"binary_cross_entropy.{masked}.{weighted}.{reduction}", logits,
            lambda x: F.binary_cross_entropy_with_logits(
                x[chosen], labels[chosen], pos_weight=of_unit.expand_as(x)[chosen],
                reduction=reduction))


def one_minus_ccc(x, y, epsilon=1e-7):
    covariance = ((x - x.mean()) * (y - y.mean())).mean()
    spread = x.var(correction=0) + y.var(correction=0) + (x.mean() - y.mean()) ** 2
    return 1 - 2 * covariance / (spread + epsilon)


def affect(tensors):
    """Equation (1) of the paper, by its letter (mean) and as published (weighted_mean)."""
    outputs = rand(-2, 2, 12, 7)  # five classes
    labels = torch.randint(0, 5, (12,))
    valence, arousal = rand(-1, 1, 12), rand(-1, 1, 12)
    counts = torch.tensor([40, 10, 5, 20, 8])
    has_expression, has_va = torch.rand(12) < 0.7, torch.rand(12) < 0.7
    weight = (counts.max() / counts).double()
    tensors.update({
        "affect.outputs": outputs, "affect.labels": labels, "affect.counts": counts,
        "affect.valence": valence, "affect.arousal": arousal,
        "affect.has_expression": has_expression, "affect.has_va": has_va,
    })
    whole = torch.ones(12, dtype=torch.bool)
    for masked, reduction in itertools.product(("whole", "masked"), ("weighted_mean", "mean")):
        rows = has_expression if masked == "masked" else whole
        va_rows = has_va if masked == "masked" else whole
        name = f"affect.{masked}.{reduction}"

        def terms(z):
            expression = F.cross_entropy(z[rows, :5], labels[rows], weight=weight, reduction="none")
            expression = expression.sum() / (
                weight[labels[rows]].sum() if reduction == "weighted_mean" else rows.sum())
            return (expression, one_minus_ccc(z[va_rows, 5], valence[va_rows]),
                    one_minus_ccc(z[va_rows, 6], arousal[va_rows]))

        tensors[f"{name}.terms"] = torch.stack(terms(outputs))
        with_gradient(tensors, name, outputs,
                      lambda z: torch.dot(torch.stack(terms(z)), z.new_tensor([1, 0.5, 0.5])))


def main():
    torch.manual_seed(0)
    tensors = {}
    cross_entropy(tensors)
    binary_cross_entropy(tensors)
    affect(tensors)
    metadata = {"torch": torch.__version__, "safetensors": version("safetensors")}
    out = Path(__file__).resolve().parent / "losses.safetensors"
    save_file(tensors, out, metadata=metadata)
    print(f"{len(tensors)} tensors, {out.stat().st_size} bytes -> {out}")


if __name__ == "__main__":
    main()
