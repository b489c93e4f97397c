"""What the scripts beside this file say about a measurement."""

import datetime
import json
import os
import platform
import statistics
import subprocess
import time


def interleaved(engines, rounds, pause, warm_up, *work):
    """Seconds of engine.seconds(*work) of each engine in each round. The order rotates; before each
    run there is a pause, in which the threads of the others go to sleep."""
    seconds, order = {name: [] for name in engines}, list(engines)
    for number in range(warm_up + rounds):
        for name in order:
            time.sleep(pause)
            taken = engines[name].seconds(*work)
            if number >= warm_up:
                seconds[name].append(taken)
        order.append(order.pop(0))
    return seconds


def ratio(seconds, of, to):
    """The median of each round's ratio."""
    return statistics.median(a / b for a, b in zip(seconds[of], seconds[to]))


def write_report(report, path):
    """Prints the report with machine, date and commit; writes it too where there is a path."""
    report = dict(report, machine=processor(), date=datetime.date.today().isoformat(),
                  commit=commit())
    print(json.dumps(report, indent=1))
    if path:
        with open(path, "w", encoding="ascii") as file:
            json.dump(report, file, indent=1)
            file.write("\n")


def spread(seconds):
    ordered = sorted(seconds)
    quarter = len(ordered) // 4
    return dict(median_ms=1e3 * statistics.median(ordered), min_ms=1e3 * ordered[0],
                quartile_ms=[1e3 * ordered[quarter], 1e3 * ordered[-1 - quarter]])


def peak_mib(process="self"):
    """The most memory that a process has held so far, its libraries included."""
    with open(f"/proc/{process}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


def processor():
    with open("/proc/cpuinfo", encoding="ascii") as info:
        names = [line.split(":")[1].strip() for line in info if line.startswith("model name")]
    return f"{names[0] if names else platform.processor()}, {len(os.sched_getaffinity(0))} processors"


def commit():
    result = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True,
                            check=False, cwd=os.path.dirname(os.path.abspath(__file__)))
    return result.stdout.strip()
