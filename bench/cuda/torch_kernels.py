#!/usr/bin/env python3
"""Times PyTorch, eager and compiled, at the shapes of mien_cuda_bench, in the same way.

    python3 bench/cuda/torch_kernels.py [--quick] --out torch.json
    python3 bench/cuda/torch_kernels.py --list          names alone
    python3 bench/cuda/torch_kernels.py --check         tries every function on the CPU, small

A CUDA graph holds calls on one set of inputs after the other, 0.2 ms or more of them; its replays
are timed by events. Sets are taken in turn, together four times the L2 cache, at most 64; where
they are less, L2 is flushed by reading before each replay. So PyTorch pays for no Python and no
launch, and torch.compile's kernels run without guards. Floats are computed in float: no tf32.
Kernels take turns; what --seconds or SIGTERM leaves no time for is named in the result.
"""

import argparse
import datetime
import json
import math
import os
import platform
import re
import signal
import statistics
import subprocess
import sys
import time

import torch
import torch._functorch.config

import torch_peers
from torch_peers.case import Make, identity


class Timer:
    """Cold times on the GPU; everything runs on one stream, which graphs can capture."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.stream = torch.cuda.Stream()
        self.l2 = torch.cuda.get_device_properties(0).L2_cache_size
        self.flush = torch.rand(self.l2, device="cuda")  # four times L2
        self.flushed = torch.empty((), device="cuda")

    def event(self):
        event = torch.cuda.Event(enable_timing=True)
        event.record(self.stream)
        return event

    def sample(self, call, times, flush):
        """Seconds of `times` calls, each between two events."""
        events = []
        for _ in range(times):
            if flush:
                torch.sum(self.flush, 0, out=self.flushed)
            begin = self.event()
            call()
            events.append((begin, self.event()))
        self.stream.synchronize()
        return sorted(1e-3 * begin.elapsed_time(end) for begin, end in events)

    def sets(self, case, wrap):
        """Inputs in as many copies as it takes to leave L2."""
        before = torch.cuda.memory_allocated()
        make = Make("cuda")
        first = case.prepare(make, wrap)
        result = case.function(*first)
        one = max(torch.cuda.memory_allocated() - before, 1)
        del result
        fitting = torch.cuda.mem_get_info()[0] * 0.8 // one
        count = int(max(1, min(64, math.ceil(4 * self.l2 / one), fitting)))
        return [first] + [case.prepare(make, wrap) for _ in range(count - 1)], one

    def time(self, case, wrap):
        with torch.cuda.stream(self.stream):
            sets, set_bytes = self.sets(case, wrap)
            for _ in range(3):  # choice of algorithms, optimiser state
                for arguments in sets:
                    case.function(*arguments)
            estimate = self.sample(lambda: case.function(*sets[0]), 3, False)[1]
            wanted = math.ceil(2e-4 / max(estimate, 1e-7) / len(sets))
            rounds = max(1, min(wanted, 512 // len(sets)))
            calls = rounds * len(sets)
            graph, results = torch.cuda.CUDAGraph(), [None] * len(sets)
            graph.capture_begin()
            try:
                for i in range(calls):
                    results[i % len(sets)] = case.function(*sets[i % len(sets)])
            finally:
                graph.capture_end()
            graph.replay()
            self.stream.synchronize()
            flush = len(sets) * set_bytes < 4 * self.l2
            once = self.sample(graph.replay, 3, flush)[1]
            samples = int(min(max(self.seconds / (once + (1e-4 if flush else 0)), 7), 201)) | 1
            times = [1e6 * s / calls for s in self.sample(graph.replay, samples, flush)]
            quarter = len(times) // 4
            return dict(median_us=statistics.median(times), q1_us=times[quarter],
                        q3_us=times[-1 - quarter], samples=samples, calls=calls, sets=len(sets),
                        flushed=flush)


def in_turn(cases):
    """The first case of every kernel, then the second of each, and so on."""
    rank, order = {}, []
    for case in cases:
        rank[case.kernel] = rank.get(case.kernel, -1) + 1
        order.append((case.slow_compile, rank[case.kernel], len(order), case))
    return [case for *_, case in sorted(order, key=lambda entry: entry[:3])]


def compiled(function):
    return torch.compile(function, dynamic=False)


class OutOfTime(BaseException):
    """Not an Exception: the time is up for all cases, not for one."""


def measure(cases, seconds, deadline):
    """Results, errors and what was left out by name and mode: all cases eager, then compiled."""
    timer, results, errors = Timer(seconds), {}, {}
    todo = [(case, "eager", identity) for case in in_turn(cases)]
    todo += [(case, "compile", compiled) for case in in_turn(cases) if case.compiles]

    def attempt(case, mode, wrap):
        try:
            results.setdefault(case.name, {})[mode] = timer.time(case, wrap)
        except Exception as error:  # the others go on
            errors[f"{case.name} {mode}"] = f"{type(error).__name__}: {error}"[:300]
        torch.cuda.empty_cache()

    def stop(*_):
        raise OutOfTime

    signal.signal(signal.SIGTERM, stop)
    done = 0
    try:
        for case, mode, wrap in todo:
            if time.perf_counter() > deadline:
                raise OutOfTime
            if mode == "compile":
                torch.compiler.reset()
            attempt(case, mode, wrap)
            done += 1
    except OutOfTime:
        pass
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # only writing is left
    return results, errors, [f"{case.name} {mode}" for case, mode, _ in todo[done:]]


def commit():
    result = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True,
                            check=False, cwd=os.path.dirname(os.path.abspath(__file__)))
    return result.stdout.strip()


def context():
    import triton

    return dict(gpu=torch.cuda.get_device_name(), date=datetime.date.today().isoformat(),
                commit=commit(), torch=torch.__version__, cuda=torch.version.cuda,
                cudnn=str(torch.backends.cudnn.version()), triton=triton.__version__,
                python=platform.python_version())


def check(cases, compile_too):
    """Every function once on the CPU, at a small size; prints what fails."""
    failed = 0
    for case in cases:
        try:
            for wrap in (identity, compiled)[:1 + (compile_too and case.compiles)]:
                torch.compiler.reset()
                arguments = case.prepare(Make("cpu", small=True), wrap)
                result = case.function(*arguments)
                for value in result if isinstance(result, (tuple, list)) else [result]:
                    if torch.is_tensor(value) and not torch.isfinite(value).all():
                        raise ValueError("not finite")
        except Exception as error:
            failed += 1
            print(f"{case.name}: {type(error).__name__}: {error}"[:400])
    print(f"{len(cases)} tried, {failed} failed")
    return failed


def main():
    begin = time.perf_counter()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="the short list")
    parser.add_argument("--filter", default="", help="regular expression on the names")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--compile", action="store_true", help="with --check: compiled as well")
    parser.add_argument("--seconds", type=float, default=math.inf,
                        help="after which no other case begins")
    parser.add_argument("--out", help="JSON file to write")
    args = parser.parse_args()

    cases = [c for c in torch_peers.all_cases()
             if (c.quick or not args.quick) and re.search(args.filter, c.name)]
    if args.list:
        print("\n".join(c.name for c in cases))
        return 0
    if args.check:
        return 1 if check(cases, args.compile) else 0
    if not torch.cuda.is_available():
        raise SystemExit("torch_kernels: no GPU here; --list and --check need none")

    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    torch._functorch.config.donated_buffer = False  # backwards are replayed
    results, errors, left_out = measure(cases, 0.04 if args.quick else 0.12, begin + args.seconds)
    report = dict(context=context(), results=results, errors=errors, left_out=left_out)
    print(f"{len(results)} timed, {len(errors)} failed, {len(left_out)} left out for want of time")
    for name, message in errors.items():
        print(f"  {name}: {message}")
    if args.out:
        with open(args.out, "w", encoding="ascii") as file:
            json.dump(report, file, indent=1)
            file.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
