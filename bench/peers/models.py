#!/usr/bin/env python3
"""Times mien beside PyTorch (eager) and ONNX Runtime on whole networks, in one interleaved run.

    python3 bench/peers/models.py --network efficientnet_b0 --batch 1 --threads 2 \
        --server build/release/bench/mien_model_server --out bench/results/b0_batch1.json

Each round runs every engine once, after a pause in which the threads of the others go to sleep; the
order rotates. Outputs are compared before anything is timed. Needs torch, timm, onnx, onnxruntime,
safetensors and numpy (not needed to build or test mien).
"""

import argparse
import os
import platform
import sys
import tempfile
import time

import numpy
import onnxruntime
import torch
from safetensors.numpy import load_file, save_file

import networks
from measuring import interleaved, ratio, spread, write_report
from server import Server


class Mien(Server):
    """bench/model_server.cpp"""

    def seconds(self):
        return float(self.ask("run"))

    def output(self, path):
        self.ask(f"output {path}")
        return load_file(path)["y"]


class Torch:
    def __init__(self, net, x):
        self.net, self.x = net, x

    def output(self):
        with torch.inference_mode():
            return self.net(self.x).numpy()

    def seconds(self):
        with torch.inference_mode():
            begin = time.perf_counter()
            self.net(self.x)
            return time.perf_counter() - begin


class Onnx:
    def __init__(self, net, x, path, threads):
        torch.onnx.export(net, (x,), path, input_names=["x"], output_names=["y"], dynamo=False)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "1")
        self.session = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
        self.x = {"x": x.numpy()}

    def output(self):
        return self.session.run(None, self.x)[0]

    def seconds(self):
        begin = time.perf_counter()
        self.session.run(None, self.x)
        return time.perf_counter() - begin


def relative_error(got, expected):
    return float(numpy.abs(got - expected).max() / numpy.abs(expected).max())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", default="efficientnet_b0")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--pause", type=float, default=0.05, help="seconds between two runs")
    parser.add_argument("--server", default="build/release/bench/mien_model_server")
    parser.add_argument("--out", help="JSON file to write")
    args = parser.parse_args()

    torch.manual_seed(0)
    torch.set_num_threads(args.threads)
    net, shape = networks.make(args.network)
    networks.random_weights(net)
    x = torch.rand(args.batch, *shape)
    with tempfile.TemporaryDirectory() as folder:
        weights, inputs = os.path.join(folder, "net.pth"), os.path.join(folder, "x.safetensors")
        torch.save(net.state_dict(), weights)
        save_file({"x": numpy.ascontiguousarray(x.permute(0, 2, 3, 1).numpy())}, inputs)
        mien = Mien(args.server, weights, inputs, threads=args.threads)
        peers = {"torch": Torch(net, x),
                 "onnxruntime": Onnx(net, x, os.path.join(folder, "net.onnx"), args.threads)}
        expected = peers["torch"].output()
        got = mien.output(os.path.join(folder, "y.safetensors"))
        if got.ndim == 4:
            got = got.transpose(0, 3, 1, 2)
        errors = {"mien": relative_error(got, expected),
                  "onnxruntime": relative_error(peers["onnxruntime"].output(), expected)}
        if max(errors.values()) > 1e-3:
            raise SystemExit(f"outputs differ, nothing timed: {errors}")

        engines = {"mien": mien, **peers}
        seconds = interleaved(engines, args.rounds, args.pause, 2)

    report = dict(
        network=args.network, batch=args.batch, threads=args.threads, rounds=args.rounds,
        versions=dict(torch=torch.__version__, onnxruntime=onnxruntime.__version__,
                      python=platform.python_version()),
        mien=mien.facts, relative_error=errors,
        engines={name: spread(values) for name, values in seconds.items()},
        ratio_to_mien={name: ratio(seconds, name, "mien") for name in peers})
    write_report(report, args.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
