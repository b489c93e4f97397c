"""What the scripts beside this file say about a measurement."""

import os
import platform
import statistics
import subprocess


def spread(seconds):
    ordered = sorted(seconds)
    quarter = len(ordered) // 4
    return dict(median_ms=1e3 * statistics.median(ordered), min_ms=1e3 * ordered[0],
                quartile_ms=[1e3 * ordered[quarter], 1e3 * ordered[-1 - quarter]])


def processor():
    with open("/proc/cpuinfo", encoding="ascii") as info:
        names = [line.split(":")[1].strip() for line in info if line.startswith("model name")]
    return f"{names[0] if names else platform.processor()}, {len(os.sched_getaffinity(0))} processors"


def commit():
    result = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True,
                            check=False, cwd=os.path.dirname(os.path.abspath(__file__)))
    return result.stdout.strip()
