"""What comparing a benchmark program with a peer in one interleaved run needs."""

import datetime
import json
import statistics
import subprocess
import sys
import time

import numpy

from measuring import commit, processor

INPUTS = 8  # taken in turn, as the programs do


def noise(width, height, seed):
    """The upper bytes of s = 1664525 s + 1013904223 mod 2^32, from s = seed."""
    count = width * height * 3
    factors, terms = numpy.empty(count, numpy.uint32), numpy.empty(count, numpy.uint32)
    factors[0], terms[0] = 1664525, 1013904223
    done = 1  # steps of which the combined factor and term are known
    while done < count:
        more = min(done, count - done)
        factor, term = factors[done - 1], terms[done - 1]
        factors[done:done + more] = factors[:more] * factor
        terms[done:done + more] = factors[:more] * term + terms[:more]
        done += more
    samples = (factors * numpy.uint32(seed) + terms) >> 24
    return samples.astype(numpy.uint8).reshape(height, width, 3)


class Row:
    """A row of the benchmark program beside work(input) of the peer, whose result for the first
    input has the checksum crc."""

    def __init__(self, name, inputs, work, crc):
        self.name, self.inputs, self.work, self.crc = name, inputs, work, crc
        self.mien, self.peer = [], []

    def time_peer(self, seconds):
        """Microseconds of one call, over calls of `seconds` together."""
        calls, begin = 0, time.perf_counter()
        while time.perf_counter() - begin < seconds:
            self.work(self.inputs[calls % len(self.inputs)])
            calls += 1
        return (time.perf_counter() - begin) / calls * 1e6


def run_bench(program, name, seconds):
    command = [program, f"--benchmark_filter=^{name}$", "--benchmark_format=json",
               f"--benchmark_min_time={seconds}"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(result.stdout)["benchmarks"][0]


def spread(times):
    ordered = sorted(times)
    quarter = len(ordered) // 4
    return dict(median_us=statistics.median(ordered), min_us=ordered[0],
                quartile_us=[ordered[quarter], ordered[-1 - quarter]])


def add_arguments(parser):
    parser.add_argument("--bench", default="build/release/bench/mien_data_bench")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.2, help="of each row in each round")
    parser.add_argument("--out", help="JSON file to write")


def compare(rows, args, versions):
    """Times every row in every round, the program and the peer in turn; prints and writes the
    report. A result whose checksum differs from the peer's ends the run."""
    for round_number in range(args.rounds):
        for row in rows:
            taken = run_bench(args.bench, row.name, args.seconds)
            if taken.get("label") != f"crc={row.crc}":
                raise SystemExit(f"{row.name}: results differ, nothing timed")
            row.mien.append(taken["real_time"])
            row.peer.append(row.time_peer(args.seconds))
        print(f"round {round_number + 1} of {args.rounds}", file=sys.stderr)

    report = dict(threads=1, rounds=args.rounds, date=datetime.date.today().isoformat(),
                  machine=processor(), commit=commit(), versions=versions, rows={})
    for row in rows:
        ratio = statistics.median(peer / mien for peer, mien in zip(row.peer, row.mien))
        report["rows"][row.name] = dict(mien=spread(row.mien), peer=spread(row.peer),
                                        peer_to_mien=ratio)
        print(f"{row.name:60s} {statistics.median(row.mien):9.1f} us  peer "
              f"{statistics.median(row.peer):9.1f} us  {ratio:5.2f} x")
    if args.out:
        with open(args.out, "w", encoding="ascii") as file:
            json.dump(report, file, indent=1)
            file.write("\n")
