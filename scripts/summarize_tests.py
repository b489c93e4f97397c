#!/usr/bin/env python3
"""Counts the test cases in GoogleTest's XML reports and says why the skipped ones were.

usage: summarize_tests.py FOLDER
"""

import collections
import sys
import xml.etree.ElementTree
from pathlib import Path


def reason(skipped):
    """The message after the first line, which names the file."""
    return skipped.get("message", "").partition("\n")[2].strip() or "no reason given"


def main():
    cases = failures = 0
    skipped = collections.Counter()
    for report in sorted(Path(sys.argv[1]).glob("*.xml")):
        for case in xml.etree.ElementTree.parse(report).iter("testcase"):
            cases += 1
            failures += case.find("failure") is not None
            if (mark := case.find("skipped")) is not None:
                skipped[reason(mark)] += 1
    print(f"{cases} test cases: {cases - failures - skipped.total()} passed, {failures} failed, "
          f"{skipped.total()} skipped")
    for text, count in skipped.most_common():
        print(f"  {count} skipped: {text}")


if __name__ == "__main__":
    main()
