#!/usr/bin/env python3
"""Joins made-up results of mien_cuda_bench and torch_kernels.py."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench" / "cuda"))
import report  # noqa: E402


def run(name, time, unit="us"):
    return {"name": name, "run_type": "iteration", "real_time": time, "time_unit": unit,
            "q1_us": 0.9, "q3_us": 1.1, "bytes": 8e6, "flops": 1e6, "samples": 9.0, "calls": 4.0,
            "sets": 4.0, "label": "copy, flushed", "GB/s": 8e3 / time, "TFLOP/s": 1 / time,
            "%ceiling": 200 / time}


def mien():
    return dict(
        context=dict(gpu="H", date="2026-11-26T17:00:00+00:00", cudnn="9.1.2", cuda_runtime="13.0"),
        benchmarks=[
            {"name": "ceiling/copy", "run_type": "iteration", "real_time": 250.0, "time_unit": "us",
             "GB/s": 4000.0},
            {"name": "launch/stream", "run_type": "iteration", "real_time": 2.0, "time_unit": "us"},
            run("swish/a_1x1x8/bf16/batch64", 4.0),
            run("swish/a_1x1x8/bf16/batch64/cudnn", 6.0),
            run("swish/b_2x2x8/bf16/batch64", 2.0),
            run("swish/b_2x2x8/f32/batch1", 2000.0, "ns"),
            {"name": "adam/b0_5/f32/batch1", "run_type": "iteration", "error_occurred": True,
             "error_message": "element 3 is 1, the reference says 2"}])


def torch():
    return dict(
        context=dict(gpu="H", torch="2.11", commit="abc1234"),
        results={"swish/a_1x1x8/bf16/batch64": {"eager": {"median_us": 8.0},
                                                "compile": {"median_us": 5.0}},
                 "swish/b_2x2x8/bf16/batch64": {"eager": {"median_us": 3.0}},
                 "unknown/x/f32/batch1": {"eager": {"median_us": 1.0}}},
        errors={"swish/c/f16/batch8 compile": "RuntimeError: no"}, left_out=[])


class CudaReport(unittest.TestCase):
    def rows(self):
        return {row["name"]: row for row in report.join(mien(), torch())["rows"]}

    def test_ratios_are_peers_over_mien(self):
        row = self.rows()["swish/a_1x1x8/bf16/batch64"]
        self.assertEqual(row["ratio_to_mien"], {"cudnn": 1.5, "eager": 2.0, "compile": 1.25})
        self.assertEqual((row["kernel"], row["shape"], row["dtype"], row["batch"]),
                         ("swish", "a_1x1x8", "bf16", 64))
        self.assertEqual(row["mien"]["roof"], "copy")

    def test_peers_have_no_rows_of_their_own(self):
        self.assertEqual(sorted(self.rows()),
                         ["swish/a_1x1x8/bf16/batch64", "swish/b_2x2x8/bf16/batch64",
                          "swish/b_2x2x8/f32/batch1"])

    def test_times_are_in_microseconds(self):
        self.assertEqual(self.rows()["swish/b_2x2x8/f32/batch1"]["mien"]["median_us"], 2.0)

    def test_failures_are_kept_and_shown(self):
        joined = report.join(mien(), torch())
        self.assertEqual(sorted(joined["failed"]),
                         ["adam/b0_5/f32/batch1", "swish/c/f16/batch8 compile"])
        self.assertIn("2 failed:", report.summary(joined))

    def test_context(self):
        joined = report.join(mien(), torch())
        self.assertEqual(joined["context"]["commit"], "abc1234")
        self.assertEqual(joined["context"]["date"], "2026-11-26")
        self.assertEqual(joined["machine"],
                         {"ceiling/copy": {"GB/s": 4000.0}, "launch/stream": {"us": 2.0}})
        self.assertNotIn("torch_gpu", joined["context"])

    def test_another_gpu_is_named(self):
        other = torch()
        other["context"]["gpu"] = "A"
        self.assertIn("PyTorch ran on another GPU, A: ratios to it mean nothing.",
                      report.summary(report.join(mien(), other)))

    def test_summary_has_a_line_for_each_kernel_dtype_and_batch(self):
        lines = report.summary(report.join(mien(), torch()))
        expected = "| `swish` bf16 64 | 2.00 to 4.00 | 75.0 (50.0) | 1.50 | 1.75 (1.50) | 1.25 |"
        self.assertIn(expected, lines)
        self.assertIn("| `swish` f32 1 | 2.00 | 0.10 | - | - | - |", lines)

    def test_details_have_a_line_for_each_name(self):
        lines = report.details(report.join(mien(), {}))
        self.assertEqual(sum("x8 " in line for line in lines), 3)
        self.assertIn("## swish", lines)

    def test_every_way_of_a_block_is_compared_with_the_block(self):
        results = mien()
        results["benchmarks"].append(run("mbconv_per_op/a/bf16/batch1", 4.0))
        peers = {"results": {"mbconv/a/bf16/batch1": {"compile": {"median_us": 6.0}}}}
        rows = {row["kernel"]: row for row in report.join(results, peers)["rows"]}
        self.assertEqual(rows["mbconv_per_op"]["ratio_to_mien"], {"compile": 1.5})

    def test_repetitions_give_the_middle_one(self):
        results = mien()
        results["benchmarks"] += [run("swish/a_1x1x8/bf16/batch64", t) for t in (3.0, 5.0)]
        row = report.join(results, {})["rows"][0]
        self.assertEqual(row["mien"]["median_us"], 4.0)

    def test_printed_text_is_cut(self):
        kept = report.cut(["x" * 50] * 100, 1000)
        self.assertLess(len("\n".join(kept)), 1000)
        self.assertEqual(kept[-1], "83 lines more in the Markdown file.")


if __name__ == "__main__":
    unittest.main()
