#!/usr/bin/env python3
"""An event file as TensorBoard's own writer makes it: writes events.bin and events.txt beside this
file.

    python3 tests/golden/train/make_events.py

Needs tensorboard; its version is in the first line of events.txt. The records are those of
tests/train/tensorboard_log_test.cpp.
"""

from importlib.metadata import version
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

RECORDS = [  # step, time, phase, values
    (0, 1700000000.0, "val", [("loss", 2.5)]),
    (1, 1700000000.25, "train", [("loss", 2.125), ("lr", 1e-3)]),
    (127, 1700000001.5, "train", [("loss", 0.1), ("lr", -0.0)]),
    (128, 1700000002.0, "train", [("loss", float("nan")), ("lr", float("inf"))]),
    (300000, 1700000003.0, "train", []),
    (2**40, 1700000003.125, "val", [("a" * 200, 1 / 3), ("Gesichtsausdr\u00fccke", -1e30)]),
]


def main():
    here = Path(__file__).resolve().parent
    out = here / "events.bin"
    with open(out, "wb") as file:
        writer = RecordWriter(file)
        first = Event(wall_time=RECORDS[0][1], file_version="brain.Event:2")
        writer.write(first.SerializeToString())
        for step, time, phase, values in RECORDS:
            summary = Summary(
                value=[Summary.Value(tag=f"{phase}/{name}", simple_value=x) for name, x in values])
            event = Event(wall_time=time, step=step, summary=summary)
            writer.write(event.SerializeToString())
        writer.flush()
    (here / "events.txt").write_text(f"tensorboard {version('tensorboard')}\n")
    print(f"{len(RECORDS) + 1} events, {out.stat().st_size} bytes -> {out}")


if __name__ == "__main__":
    main()
