#!/usr/bin/env python3
"""Joins the results of mien_cuda_bench and torch_kernels.py into one JSON file and Markdown.

    python3 bench/cuda/report.py MIEN.json TORCH.json --out-json FILE --out-markdown FILE

Prints a summary, a line for each kernel, dtype and batch; the Markdown file has a table of every
name behind it. Ratios are a peer's time over mien's: above 1 mien is faster.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys

PEERS = ("cudnn", "eager", "compile")
TITLES = {"cudnn": "cuDNN", "eager": "PyTorch", "compile": "compiled"}
MICROSECONDS = {"ns": 1e-3, "us": 1, "ms": 1e3, "s": 1e6}
PRINTED = 12000  # characters of the summary at most


def read_mien(report):
    """Rows by name, the rates of the machine, and what failed. Of repetitions the middle one."""
    runs, failed = {}, {}
    for run in report["benchmarks"]:
        if run.get("run_type", "iteration") != "iteration":
            continue
        if run.get("error_occurred") or run.get("skipped"):
            failed[run["name"]] = run.get("error_message", "") or run.get("skip_message", "")
        else:
            runs.setdefault(run["name"], []).append(run)
    rows, machine = {}, {}
    for name, found in runs.items():
        run = sorted(found, key=lambda r: r["real_time"])[len(found) // 2]
        microseconds = run["real_time"] * MICROSECONDS[run["time_unit"]]
        if name.startswith(("ceiling/", "launch/")):
            rate = next(({key: run[key]} for key in ("GB/s", "TFLOP/s") if key in run),
                        {"us": microseconds})
            machine[name] = {**rate, **({"source": run["label"]} if "label" in run else {})}
            continue
        rows[name] = dict(
            median_us=microseconds, q1_us=run["q1_us"], q3_us=run["q3_us"], bytes=run["bytes"],
            flops=run["flops"], gb_per_s=run["GB/s"], tflop_per_s=run["TFLOP/s"],
            percent_of_ceiling=run["%ceiling"], roof=run.get("label", "").split(",")[0],
            samples=int(run["samples"]), calls=int(run["calls"]), sets=int(run["sets"]))
    return rows, machine, failed


def of_torch_results(results, name):
    """Whichever way mien runs a block, PyTorch has one: mbconv_per_op is compared with mbconv."""
    whole = "mbconv/" + name.split("/", 1)[1]
    return results.get(name) or (results.get(whole, {}) if name.startswith("mbconv_") else {})


def join(mien, torch):
    """The report: context, the machine's rates, and a row for every name."""
    rows, machine, failed = read_mien(mien)
    peers = {name: run for name, run in rows.items() if name.endswith("/cudnn")}
    joined = []
    for name, run in rows.items():
        if name in peers:
            continue
        kernel, shape, dtype, batch = name.split("/")
        timings = dict(of_torch_results(torch.get("results", {}), name))
        if name + "/cudnn" in peers:
            of_peer = peers[name + "/cudnn"]
            timings["cudnn"] = {key: of_peer[key] for key in ("median_us", "q1_us", "q3_us")}
        ratios = {peer: timings[peer]["median_us"] / run["median_us"]
                  for peer in PEERS if peer in timings}
        joined.append(dict(name=name, kernel=kernel, shape=shape, dtype=dtype,
                           batch=int(batch.removeprefix("batch")), mien=run, peers=timings,
                           ratio_to_mien=ratios))
    of_mien, of_torch = mien.get("context", {}), torch.get("context", {})
    keys = ("gpu", "gpu_memory_bytes", "l2_bytes", "multiprocessors", "cuda_driver", "list")
    context = {key: of_mien[key] for key in keys if key in of_mien}
    context.update(
        date=of_mien.get("date", "")[:10],
        commit=of_mien.get("commit") or of_torch.get("commit") or commit(),
        versions=dict(cuda=of_mien.get("cuda_runtime", ""), cudnn=of_mien.get("cudnn", ""),
                      torch=of_torch.get("torch", ""), torch_cudnn=of_torch.get("cudnn", ""),
                      triton=of_torch.get("triton", ""), python=of_torch.get("python", "")))
    if of_torch.get("gpu") and of_torch["gpu"] != of_mien.get("gpu"):
        context["torch_gpu"] = of_torch["gpu"]
    return dict(context=context, machine=machine, rows=joined,
                failed={**failed, **torch.get("errors", {})},
                left_out=torch.get("left_out", []))


def commit():
    result = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True,
                            check=False, cwd=os.path.dirname(os.path.abspath(__file__)))
    return result.stdout.strip()


def number(value):
    """Three digits, without a trailing point."""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def median_and_least(values):
    if not values:
        return "-"
    if len(values) == 1:
        return number(values[0])
    return f"{number(statistics.median(values))} ({number(min(values))})"


def table(head, rows):
    rule = "|".join("---" for _ in head)
    return [f"| {' | '.join(head)} |", f"|{rule}|"] + [f"| {' | '.join(row)} |" for row in rows]


def describe(report):
    """The lines ahead of the tables."""
    context, machine = report["context"], report["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in context["versions"].items()
                         if version)
    lines = [f"# CUDA kernels on {context.get('gpu', 'an unnamed GPU')}", "",
             f"{context['date']}, commit {context['commit']}; {versions}."]
    if "torch_gpu" in context:
        lines.append(f"PyTorch ran on another GPU, {context['torch_gpu']}: ratios to it mean "
                     "nothing.")
    units = ("GB/s", "TFLOP/s", "us")
    not_measured = {name: f" ({rate['source']})" for name, rate in machine.items()
                    if rate.get("source", "measured") != "measured"}
    rates = [f"{name.removeprefix('ceiling/')} {number(rate[unit])} {unit}"
             f"{not_measured.get(name, '')}"
             for name, rate in machine.items() for unit in units if unit in rate]
    lines += [f"Ceilings of this GPU: {', '.join(rates)}.", "",
              "Medians from cold memory; ratios are a peer's time over mien's, above 1 mien is "
              "faster. Where a line stands for several shapes: median (least).", ""]
    return lines


def failures(failed):
    """A line for each message: the first name, and how many more there are."""
    by_message = {}
    for name, message in failed.items():
        by_message.setdefault(message, []).append(name)
    return [f"- {names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''}: {message}"
            for message, names in by_message.items()]


def summary(report):
    groups = {}
    for row in sorted(report["rows"], key=lambda row: row["kernel"]):
        groups.setdefault((row["kernel"], row["dtype"], row["batch"]), []).append(row)
    lines = []
    for (kernel, dtype, batch), rows in groups.items():
        times = [row["mien"]["median_us"] for row in rows]
        span = number(min(times)) + (f" to {number(max(times))}" if len(times) > 1 else "")
        lines.append([f"`{kernel}` {dtype} {batch}", span,
                      median_and_least([row["mien"]["percent_of_ceiling"] for row in rows])] +
                     [median_and_least([row["ratio_to_mien"][peer] for row in rows
                                        if peer in row["ratio_to_mien"]]) for peer in PEERS])
    head = ["kernel, dtype, batch", "us", "% of ceiling"] + [TITLES[peer] for peer in PEERS]
    text = describe(report) + table(head, lines)
    if report["failed"]:
        text += ["", f"{len(report['failed'])} failed:", ""] + failures(report["failed"])
    return text


def details(report):
    """A table of every name for each kernel."""
    kernels = {}
    for row in report["rows"]:
        kernels.setdefault(row["kernel"], []).append(row)
    text = []
    for kernel, rows in kernels.items():
        lines = []
        for row in rows:
            mien = row["mien"]
            spread = 100 * (mien["q3_us"] - mien["q1_us"]) / mien["median_us"]
            lines.append([f"{row['shape']} {row['dtype']} {row['batch']}",
                          number(mien["median_us"]), f"{spread:.0f}", number(mien["gb_per_s"]),
                          number(mien["tflop_per_s"]),
                          f"{number(mien['percent_of_ceiling'])} {mien['roof']}"] +
                         [number(row["ratio_to_mien"][peer]) if peer in row["ratio_to_mien"]
                          else "-" for peer in PEERS])
        head = ["shape, dtype, batch", "us", "spread %", "GB/s", "TFLOP/s", "% of ceiling"]
        text += ["", f"## {kernel}", ""] + table(head + [TITLES[peer] for peer in PEERS], lines)
    return text


def cut(lines, most):
    """As many lines as fit, and how many did not."""
    kept, size = [], 0
    for i, line in enumerate(lines):
        size += len(line) + 1
        if size > most - 100:
            return kept + ["", f"{len(lines) - i} lines more in the Markdown file."]
        kept.append(line)
    return kept


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mien", help="JSON of mien_cuda_bench")
    parser.add_argument("torch", help="JSON of torch_kernels.py; 'none': PyTorch was not timed")
    parser.add_argument("--out-json", required=True)
    parser.add_argument("--out-markdown", required=True)
    args = parser.parse_args()

    report = join(read(args.mien), {} if args.torch == "none" else read(args.torch))
    short = summary(report)
    with open(args.out_json, "w", encoding="utf-8") as file:
        json.dump(report, file, indent=1)
        file.write("\n")
    with open(args.out_markdown, "w", encoding="utf-8") as file:
        file.write("\n".join(short + details(report)) + "\n")
    print("\n".join(cut(short, PRINTED)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
