#!/usr/bin/env python3
"""Twenty steps of training MT-EmotiEffNet by PyTorch and timm, to be followed by mien.

    python3 make_training.py                     writes training.safetensors beside this file
    cmake --build --preset release --target training_run
    python3 make_training.py --compare build/release/bin/training_run [--size 224] [--dtype float32]
                                                 runs mien beside PyTorch and compares every element;
                                                 --rounding: and both beside PyTorch in double

Needs torch, timm, numpy and safetensors; the versions behind the committed file are in its metadata.
Weights and batches are drawn from mien's random numbers (philox.py), so the golden file holds results
alone: for each case the losses, and of each parameter evenly spaced elements, in PyTorch's layout, of
its gradient in the first step and of its value after the last. Dropout and drop path are off.
"""

import argparse
import subprocess
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
import timm
import torch
import torch.nn.functional as F
from safetensors.numpy import load_file
from safetensors.torch import save_file

from philox import Generator

CASES = {"adam": None, "sam_both": "both", "sam_first": "first", "sam_running": "running"}
STEPS, BATCH, CLASSES, LR, RHO, SEED = 20, 8, 8, 1e-3, 0.05, 7
CLASS_WEIGHTS = [1.5, 4.0, 3.5, 2.5, 0.75, 1.0, 1.75, 2.0]
SAMPLES = 16


def uniform(generator, value, bound, center=0.0):
    """Values for a parameter, drawn in mien's layout."""
    shape = tuple(value.shape)
    if len(shape) == 4 and shape[1] == 1 and shape[2] > 1:  # depthwise: (kh, kw, c)
        drawn = generator.rand((*shape[2:], shape[0]), center - bound, center + bound)
        drawn = drawn.transpose(2, 0, 1)[:, None]
    elif len(shape) == 4 and shape[2] == 1:  # pointwise: (in, out)
        drawn = generator.rand((shape[1], shape[0]), center - bound, center + bound)
        drawn = drawn.T[:, :, None, None]
    elif len(shape) == 4:  # (kh, kw, in, out)
        drawn = generator.rand((*shape[2:], shape[1], shape[0]), center - bound, center + bound)
        drawn = drawn.transpose(3, 2, 0, 1)
    elif len(shape) == 2:  # (in, out)
        drawn = generator.rand(shape[::-1], center - bound, center + bound).T
    else:
        drawn = generator.rand(shape, center - bound, center + bound)
    return torch.from_numpy(np.ascontiguousarray(drawn))


def model(dtype):
    net = timm.create_model("tf_efficientnet_b0", num_classes=CLASSES + 2, drop_rate=0.0,
                            drop_path_rate=0.0).to(dtype)
    with torch.no_grad():
        for i, (name, w) in enumerate(net.named_parameters()):
            fan_in = w[0].numel()
            bound, center = (3.0 / fan_in) ** 0.5, 0.0
            if w.dim() == 1:
                bound, center = 0.25, 1.0 if name.endswith("weight") else 0.0
            w.copy_(uniform(Generator(SEED).stream(i), w, bound, center))
    return net.train()


def batch(step, size, dtype):
    generator = Generator(SEED).stream(step, 1)
    x = generator.rand((BATCH, size, size, 3), -2, 2).transpose(0, 3, 1, 2)
    labels = np.floor(generator.rand((BATCH,), 0, CLASSES)).astype(np.int64)
    affect = generator.rand((BATCH, 2), -1, 1)
    return (torch.from_numpy(np.ascontiguousarray(x)).to(dtype), torch.from_numpy(labels),
            torch.from_numpy(affect).to(dtype))


def ccc(x, y):
    mx, my = x.mean(), y.mean()
    return 2 * ((x - mx) * (y - my)).mean() / (
        ((x - mx) ** 2).mean() + ((y - my) ** 2).mean() + (mx - my) ** 2)


def loss_of(net, data):
    x, labels, affect = data
    out = net(x)
    cross = F.cross_entropy(out[:, :CLASSES], labels,
                            weight=torch.tensor(CLASS_WEIGHTS, dtype=x.dtype))
    agreement = ccc(out[:, CLASSES], affect[:, 0]) + ccc(out[:, CLASSES + 1], affect[:, 1])
    return 1 - 0.5 * agreement + cross


def norms(net):
    return [m for m in net.modules() if isinstance(m, torch.nn.BatchNorm2d)]


def second_pass(net, data, batch_norm):
    before = [m.momentum for m in norms(net)]
    for m in norms(net):
        if batch_norm == "first":
            m.momentum = 0.0
        if batch_norm == "running":
            m.eval()
    loss_of(net, data).backward()
    for m, momentum in zip(norms(net), before):
        m.momentum = momentum
        m.train()


def train(case, size, dtype):
    """Losses, gradients of the first step, start and final state."""
    net = model(dtype)
    start = {k: v.detach().clone() for k, v in net.named_parameters()}
    optimizer = torch.optim.Adam(net.parameters(), lr=LR)
    losses, gradients = [], {}
    for step in range(STEPS):
        data = batch(step, size, dtype)
        optimizer.zero_grad()
        loss = loss_of(net, data)
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            gradients = {k: v.grad.clone() for k, v in net.named_parameters()}
        if CASES[case] is not None:
            with torch.no_grad():
                norm = torch.stack([w.grad.norm() for w in net.parameters()]).norm()
                moves = [w.grad * (RHO / (norm + 1e-12)) for w in net.parameters()]
                saved = [w.clone() for w in net.parameters()]
                for w, move in zip(net.parameters(), moves):
                    w.add_(move)
            optimizer.zero_grad()
            second_pass(net, data, CASES[case])
            with torch.no_grad():
                for w, value in zip(net.parameters(), saved):
                    w.copy_(value)
        optimizer.step()
    final = {k: v.detach() for k, v in net.state_dict().items()
             if not k.endswith("num_batches_tracked")}
    return torch.tensor(losses, dtype=torch.float64), gradients, start, final


def sampled(x):
    flat = x.reshape(-1)
    count = min(SAMPLES, flat.numel())
    return flat[torch.arange(count) * flat.numel() // count].to(torch.float64)


def make(out):
    tensors = {}
    for case in CASES:
        losses, gradients, start, final = train(case, 64, torch.float64)
        tensors[f"{case}.losses"] = losses
        for name in final:
            tensors[f"{case}.final.{name}"] = sampled(final[name])
        if case == "adam":
            for name in gradients:
                tensors[f"gradient.{name}"] = sampled(gradients[name])
                tensors[f"scale.{name}"] = gradients[name].abs().max().reshape(1)
        print(case, losses[0].item(), losses[-1].item())
    metadata = {k: version(k) for k in ("torch", "timm", "numpy", "safetensors")}
    save_file(tensors, out, metadata=metadata)
    print(f"{len(tensors)} tensors, {out.stat().st_size} bytes -> {out}")


def relative(got, expected):
    return np.linalg.norm(got - expected) / max(np.linalg.norm(expected), 1e-300)


def vanishing(gradients):
    """Parameters without influence, whose gradients are rounding alone: the shift of a batch norm with
    nothing but a convolution before the next one, which removes the mean."""
    scales = {k: v.abs().max().item() for k, v in gradients.items()}
    return {k for k, scale in scales.items() if scale < 1e-6 * max(scales.values())}


def update_cosine(got, expected, start, names):
    """The least cosine between two runs' updates of a tensor, and which tensor it is of."""
    def cosine(k):
        a, b = ((final[k] - start[k]).reshape(-1) for final in (got, expected))
        return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))

    return min((cosine(k), k) for k in names)


def wide(tensors):
    return {k: v.double().numpy() for k, v in tensors.items()}


def compare(program, size, dtype, cases, rounding):
    for case in cases:
        losses, gradients, start, final = train(case, size, getattr(torch, dtype))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "mien.safetensors"
            subprocess.run([program, case, str(size), dtype, path], check=True)
            mien = {k: v.astype(np.float64) for k, v in load_file(path).items()}
        final, start = wide(final), wide(start)
        ours = {k: mien["final." + k] for k in final}
        worst = max(np.abs(ours[k] - final[k]).max() for k in start)
        buffers = max(np.abs(ours[k] - v).max() for k, v in final.items() if k not in start)
        none = vanishing(gradients)
        names = [k for k in start if k not in none]
        gradient = max((relative(mien["gradient." + k], gradients[k].double().numpy()), k)
                       for k in names)
        loss = np.abs(mien["losses"] - losses.numpy()).max()
        cosine, name = update_cosine(ours, final, start, names)
        print(f"{case} {size} {dtype}: parameters differ by {worst:.2e}, running statistics "
              f"{buffers:.2e}, first gradients (relative) {gradient[0]:.2e} ({gradient[1]}), losses "
              f"{loss:.2e}, least cosine of updates {cosine:.6f} ({name}); "
              f"{len(none)} parameters have no gradient", flush=True)
        if not rounding:
            continue
        exact_losses, _, exact_start, exact = train(case, size, torch.float64)
        exact, exact_start = wide(exact), wide(exact_start)
        for who, result, of_steps in (("PyTorch", final, losses.numpy()),
                                      ("mien", ours, mien["losses"])):
            cosine, name = update_cosine(result, exact, exact_start, names)
            print(f"  {who} in {dtype} beside PyTorch in float64: losses "
                  f"{np.abs(of_steps - exact_losses.numpy()).max():.2e}, least cosine of updates "
                  f"{cosine:.6f} ({name})", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--compare", metavar="PROGRAM")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--dtype", default="float64", choices=["float32", "float64"])
    parser.add_argument("--case", choices=CASES, action="append")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounding", action="store_true",
                        help="with --compare: both beside PyTorch in double too")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if args.compare:
        compare(args.compare, args.size, args.dtype, args.case or list(CASES), args.rounding)
    else:
        make(Path(__file__).resolve().parent / "training.safetensors")


if __name__ == "__main__":
    main()
