"""Losses with their gradients, and the optimisers over the parameters of EfficientNet-B0."""

import torch
import torch.nn.functional as F

from .case import DTYPES, Case, plain
from .efficientnet import b0_parameter_shapes


def losses(dtype):
    t = DTYPES[dtype]

    def prepared(inputs, loss):
        def prepare(make, wrap):
            x, *others = inputs(make)
            return wrap(loss), x.requires_grad_(), others

        def function(f, x, others):
            return torch.autograd.grad(f(x, *others), x)

        return prepare, function

    def ccc(x, y):
        x = x.float()
        mx, my = x.mean(0), y.mean(0)
        dx, dy = x - mx, y - my
        return (1 - 2 * (dx * dy).mean(0) /
                ((dx * dx).mean(0) + (dy * dy).mean(0) + (mx - my) ** 2)).sum()

    def ccc_slope(x, y, mean, value, slope):
        return (-slope * (y - mean - value * (x.float() - mean))).to(x.dtype)

    for n in (48, 512, 4096, 65536, 1000000):
        def inputs(make, n=n):
            n = min(n, 512) if make.small else n
            return make.numbers(n, 2, dtype=t), make.numbers(n, 2)

        def with_moments(make, inputs=inputs):
            return (*inputs(make), make.numbers(2), make.numbers(2), make.numbers(2))

        name, quick = f"columns2/{dtype}/batch{n}", dtype == "f32"
        yield Case(f"ccc_moments/{name}", quick, *plain(inputs, ccc))
        yield Case(f"ccc_gradient/{name}", quick, *plain(with_moments, ccc_slope))
        yield Case(f"ccc_loss/{name}", quick, *prepared(inputs, ccc))

    # As F.cross_entropy(x.float(), labels, weight, label_smoothing=0.1), which cannot be captured in
    # a CUDA graph: it selects the labels that are not ignored, and waits for their number.
    def cross_entropy(x, labels, weight, smoothing=0.1):
        log_p = F.log_softmax(x.float(), dim=1)
        at_label = (log_p.gather(1, labels[:, None])[:, 0] * weight[labels]).sum()
        spread = (log_p * weight).sum() / x.shape[1]
        return -((1 - smoothing) * at_label + smoothing * spread) / weight[labels].sum()

    for classes, rows in [(8, n) for n in (48, 512, 4096, 65536)] + [
            (1000, n) for n in (8, 64, 256, 4096)]:
        def inputs(make, classes=classes, n=rows):
            n = min(n, 64) if make.small else n
            labels = torch.arange(n, device=make.device) * 7919 % classes
            return (make.numbers(n, classes, low=-5, high=5, dtype=t), labels,
                    make.numbers(classes, low=0.5, high=4))

        yield Case(f"cross_entropy/classes{classes}/{dtype}/batch{rows}", dtype == "f32",
                   *prepared(inputs, cross_entropy))

    def binary(x, y, mask, weight):
        terms = F.binary_cross_entropy_with_logits(x.float(), y, pos_weight=weight,
                                                   reduction="none")
        return (terms * mask).sum() / mask.sum()

    for rows in (48, 512, 4096, 65536):
        def inputs(make, n=rows):
            n = min(n, 64) if make.small else n
            return (make.numbers(n, 12, low=-8, high=8, dtype=t), make.numbers(n, 12, low=0),
                    make.numbers(n, 12, low=0) < 0.9, make.numbers(12, low=0.5, high=4))

        yield Case(f"binary_cross_entropy/units12/{dtype}/batch{rows}", dtype == "f32",
                   *prepared(inputs, binary))


class Step:
    """Parameters and gradients of B0 as lists of tensors, an optimiser, and a copy of the weights
    in the type that the network computes with."""

    def __init__(self, make, dtype, optimiser=None):
        shapes = b0_parameter_shapes()[:9] if make.small else b0_parameter_shapes()
        self.params = [make.numbers(*s).requires_grad_() for s in shapes]
        for p in self.params:
            p.grad = make.numbers(*p.shape, low=-1e-2, high=1e-2)
        self.grads = [p.grad for p in self.params]
        self.norm = torch.tensor(1e-2, device=make.device)
        self.shadow = None
        if dtype != "f32":
            self.shadow = [p.detach().to(DTYPES[dtype]) for p in self.params]
        self.optimiser = None
        if optimiser == "adam":
            self.optimiser = torch.optim.Adam(self.params, 1e-3, weight_decay=1e-4, fused=True,
                                              capturable=make.device == "cuda")
        elif optimiser == "sgd":
            self.optimiser = torch.optim.SGD(self.params, 1e-3, momentum=0.9, weight_decay=1e-4,
                                             fused=True)

    def write_shadow(self, values):
        if self.shadow:
            torch._foreach_copy_(self.shadow, values)

    def update(self):
        self.optimiser.step()
        self.write_shadow(self.params)


@torch.no_grad()
def grad_norm(step):
    return torch.linalg.vector_norm(torch.stack(torch._foreach_norm(step.grads)))


@torch.no_grad()
def perturbation(step, norm):
    return torch._foreach_mul(step.grads, 0.05 / (norm + 1e-12))


@torch.no_grad()
def perturbed(step):
    values = torch._foreach_add(step.params, perturbation(step, step.norm))
    step.write_shadow(values)
    return values


@torch.no_grad()
def sam_step(step):
    moved = perturbation(step, grad_norm(step))
    torch._foreach_add_(step.params, moved)
    step.write_shadow(step.params)  # the second pass of the network follows here
    torch._foreach_sub_(step.params, moved)
    step.update()


def optimisers(dtype):
    """Updates are PyTorch's fused ones, norms and perturbations its foreach calls."""
    name, quick = f"b0_5288548/{dtype}/batch1", dtype != "f16"

    def case(kernel, function, optimiser=None):
        return Case(f"{kernel}/{name}", quick,
                    lambda make, wrap: (wrap(function), Step(make, dtype, optimiser)),
                    lambda f, step: f(step), compiles=optimiser is None, slow_compile=True)

    if dtype == "f32":
        yield case("sam_norm", grad_norm)
    yield case("sam_perturb", perturbed)
    yield case("sgd", Step.update, "sgd")
    yield case("adam", Step.update, "adam")
    yield case("sam_adam_step", sam_step, "adam")
