#!/usr/bin/env python3
"""Counts the instructions of CUDA kernels' loops by class, from the disassembly of a GPU binary:

    cuobjdump --dump-sass depthwise_conv.o | c++filt | scripts/count_sass.py [part of a kernel's name]

Only loops with multiply-adds are printed, inner ones too. A loop's instructions, over the elements
that one turn of it gives a thread, are the issue slots that 32 elements take.
"""

import collections
import re
import sys

CLASSES = [
    ("move", r"MOV|IMAD\.MOV|CS2R|HFMA2\.MMA"),
    ("convert", r"F2F|HADD2\.F32|PRMT|SHF\.L\.U32|IMAD\.U32|LOP3|SHL"),
    ("float", r"FFMA|FMUL|FADD"),
    ("special", r"MUFU"),
    ("load", r"LDG|LD\.|LDS"),
    ("store", r"STG|ST\.|STS"),
    ("spill", r"LDL|STL"),
    ("address", r"IMAD|IADD3|LEA"),
    ("predicate", r"ISETP|FSETP|PLOP3|SEL|FSEL|P2R|R2P"),
    ("branch", r"BRA|BSSY|BSYNC|BREAK|BAR|WARPSYNC|EXIT"),
    ("uniform", r"U[A-Z]|R2UR|S2UR"),
]


def class_of(opcode):
    return next((name for name, pattern in CLASSES if re.match(pattern, opcode)), "other")


def read_kernels(lines):
    """Name to list of (address, opcode, operands)."""
    kernels, code = {}, []
    for line in lines:
        if function := re.search(r"Function : (.+)", line):
            code = kernels.setdefault(function[1].strip(), [])
        elif found := re.match(r"\s+/\*([0-9a-f]{4,})\*/\s+(?:@!?U?P\w+\s+)?([A-Z]\S*)(.*?);", line):
            code.append((int(found[1], 16), found[2], found[3]))
    return kernels


def main():
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    for name, code in read_kernels(sys.stdin).items():
        if wanted not in name:
            continue
        print(f"{name}: {len(code)} instructions")
        for end, opcode, operands in code:
            target = re.search(r"0x([0-9a-f]+)", operands) if opcode == "BRA" else None
            if not target or int(target[1], 16) >= end:
                continue
            loop = [op for at, op, _ in code if int(target[1], 16) <= at <= end]
            if multiply_adds := sum(op.startswith("FFMA") for op in loop):
                counts = collections.Counter(map(class_of, loop)).most_common()
                parts = ", ".join(f"{count} {kind}" for kind, count in counts)
                print(f"  loop of {len(loop)}, {multiply_adds} FFMA: {parts}")


if __name__ == "__main__":
    main()
