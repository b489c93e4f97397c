#!/usr/bin/env python3
"""Times training steps of MT-EmotiEffNet in mien beside PyTorch (eager, foreach), interleaved.

    python3 bench/peers/training.py --batch 16 --size 224 --threads 2 \
        --server build/release/bench/mien_training_server --out bench/results/training_b0.json

Three works: `adam`, a step forward and backward with Adam; `sam`, a step of SAM around Adam; and
`optimizer`, SAM's passes over the parameters and Adam's alone. Losses are compared before anything is
timed. Needs torch, timm, safetensors and numpy (not needed to build or test mien).
"""

import argparse
import os
import platform
import tempfile
import time

import numpy
import timm
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from measuring import interleaved, peak_mib, ratio, spread, write_report
from server import Server

RHO, LR = 0.05, 1e-4


class Mien(Server):
    """bench/training_server.cpp"""

    def loss(self):
        return float(self.ask("loss"))

    def prepare(self):
        self.ask("prepare")

    def seconds(self, work):
        return float(self.ask(work))


class Torch:
    def __init__(self, net, x, labels, affect):
        self.net, self.x, self.labels, self.affect = net, x, labels, affect
        self.parameters = list(net.parameters())
        self.adam = torch.optim.Adam(self.parameters, lr=LR, foreach=True)

    def forward(self):
        out = self.net(self.x)
        terms = [1 + F.cross_entropy(out[:, :8], self.labels)]
        for i in range(2):
            z, y = out[:, 8 + i], self.affect[:, i]
            mz, my = z.mean(), y.mean()
            ccc = 2 * ((z - mz) * (y - my)).mean() / (
                z.var(correction=0) + y.var(correction=0) + (mz - my) ** 2)
            terms.append(-0.5 * ccc)
        return sum(terms)

    def loss(self):
        with torch.no_grad():
            return self.forward().item()

    def prepare(self):
        self.adam.zero_grad()
        self.forward().backward()

    def climb(self):
        gradients = [w.grad for w in self.parameters]
        norm = torch.stack(torch._foreach_norm(gradients)).norm()
        saved = [w.clone() for w in self.parameters]
        torch._foreach_add_(self.parameters, torch._foreach_mul(gradients, RHO / (norm + 1e-12)))
        return saved

    def descend(self, saved):
        torch._foreach_copy_(self.parameters, saved)
        self.adam.step()

    def adam_step(self):
        self.prepare()
        self.adam.step()

    def sam_step(self):
        self.prepare()
        with torch.no_grad():
            saved = self.climb()
        self.prepare()
        with torch.no_grad():
            self.descend(saved)

    def optimizer_step(self):
        with torch.no_grad():
            self.descend(self.climb())

    def seconds(self, work):
        step = {"adam": self.adam_step, "sam": self.sam_step, "optimizer": self.optimizer_step}[work]
        begin = time.perf_counter()
        step()
        return time.perf_counter() - begin


def measure(engines, work, rounds, pause):
    for engine in engines.values():
        engine.prepare()
    seconds = interleaved(engines, rounds, pause, 2, work)
    return dict(**{name: spread(values) for name, values in seconds.items()},
                torch_to_mien=ratio(seconds, "torch", "mien"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--pause", type=float, default=0.05, help="seconds between two runs")
    parser.add_argument("--work", action="append", choices=["adam", "sam", "optimizer"])
    parser.add_argument("--server", default="build/release/bench/mien_training_server")
    parser.add_argument("--out", help="JSON file to write")
    args = parser.parse_args()

    torch.manual_seed(0)
    torch.set_num_threads(args.threads)
    net = timm.create_model("tf_efficientnet_b0", num_classes=10, drop_rate=0.0, drop_path_rate=0.0)
    net = net.train().to(memory_format=torch.channels_last)
    x = torch.randn(args.batch, 3, args.size, args.size).to(memory_format=torch.channels_last)
    labels = torch.randint(0, 8, (args.batch,))
    affect = torch.rand(args.batch, 2) * 2 - 1
    imported = peak_mib()
    with tempfile.TemporaryDirectory() as folder:
        weights, inputs = os.path.join(folder, "net.safetensors"), os.path.join(folder, "x.safetensors")
        save_file({k: v.contiguous() for k, v in net.state_dict().items()}, weights)
        save_file({"x": x.permute(0, 2, 3, 1).contiguous(), "labels": labels, "affect": affect}, inputs)
        engines = {"mien": Mien(args.server, weights, inputs, threads=args.threads),
                   "torch": Torch(net, x, labels, affect)}
        losses = {name: engine.loss() for name, engine in engines.items()}
        if abs(losses["mien"] - losses["torch"]) > 1e-3:
            raise SystemExit(f"losses differ, nothing timed: {losses}")
        works = {work: measure(engines, work, args.rounds * (5 if work == "optimizer" else 1),
                               args.pause)
                 for work in args.work or ["optimizer", "adam", "sam"]}

    report = dict(
        network="MT-EmotiEffNet", batch=args.batch, size=args.size, threads=args.threads,
        rounds=args.rounds, versions=dict(torch=torch.__version__, timm=timm.__version__,
                                       numpy=numpy.__version__, python=platform.python_version()),
        mien=engines["mien"].facts, losses=losses, works=works,
        peak_mib=dict(mien=peak_mib(engines["mien"].process.pid), torch=peak_mib(),
                      torch_before=imported))
    write_report(report, args.out)


if __name__ == "__main__":
    main()
