"""The layers of RRDBNet and SRVGGNetCompact on images of 112x112."""

import torch
import torch.nn.functional as F

from .case import DTYPES, Case, gradient, is_quick, plain

# Name, size of the input, channels in and out, what follows, whether the input is enlarged, whether
# it is typical.
CONVOLUTIONS_3X3 = [
    ("rrdb_first", 112, 3, 64, "none", False, False),
    ("rrdb_conv1", 112, 64, 32, "leaky_relu", False, True),
    ("rrdb_conv2", 112, 96, 32, "leaky_relu", False, False),
    ("rrdb_conv3", 112, 128, 32, "leaky_relu", False, False),
    ("rrdb_conv4", 112, 160, 32, "leaky_relu", False, False),
    ("rrdb_conv5", 112, 192, 64, "residual", False, True),
    ("rrdb_up1", 112, 64, 64, "leaky_relu", True, False),
    ("rrdb_up2", 224, 64, 64, "leaky_relu", True, False),
    ("rrdb_hr", 448, 64, 64, "leaky_relu", False, False),
    ("rrdb_last", 448, 64, 3, "none", False, False),
    ("srvgg_first", 112, 3, 64, "prelu", False, False),
    ("srvgg_body", 112, 64, 64, "prelu", False, True),
    ("srvgg_last", 112, 64, 48, "none", False, False)]


def convolutions_3x3(dtype, batch):
    """Without the concatenation that a dense block needs in PyTorch."""
    t = DTYPES[dtype]
    for label, size, cin, out, tail, upsample, typical in CONVOLUTIONS_3X3:
        def inputs(make, size=size, cin=cin, out=out, tail=tail):
            side = make.side(size)
            of = [make.image(batch, cin, side, t), make.filter(out, cin, 3, t),
                  make.numbers(out, dtype=t)]
            if tail == "prelu":
                of.append(make.numbers(out, low=0, high=0.5, dtype=t))
            return of + ([make.image(batch, out, side, t)] if tail == "residual" else [])

        def forward(x, w, bias, extra=None, tail=tail, upsample=upsample):
            if upsample:
                x = F.interpolate(x, scale_factor=2, mode="nearest")
            y = F.conv2d(x, w, bias, padding=1)
            if tail == "leaky_relu":
                return F.leaky_relu(y, 0.2)
            if tail == "prelu":
                return F.prelu(y, extra)
            return y * 0.2 + extra if tail == "residual" else y

        side = 2 * size if upsample else size
        yield Case(f"conv3x3/{label}_{side}x{side}x{cin}to{out}/{dtype}/batch{batch}",
                   is_quick(dtype, batch, typical), *plain(inputs, forward),
                   compiles=tail != "none" or upsample)


def elementwise(dtype, batch):
    """The elementwise tails and the shuffles."""
    t, quick = DTYPES[dtype], is_quick(dtype, batch, True)
    name = f"112x112x64/{dtype}/batch{batch}"

    def x(make):
        return make.image(batch, 64, make.side(112), t)

    def with_slopes(make):
        return x(make), make.numbers(64, low=0, high=0.5, dtype=t)

    def two(make):
        return x(make), x(make)

    yield Case(f"leaky_relu/{name}", quick,
               *plain(lambda make: (x(make),), lambda a: F.leaky_relu(a, 0.2)))
    yield Case(f"leaky_relu_backward/{name}", quick,
               *plain(two, lambda dy, a: torch.ops.aten.leaky_relu_backward(dy, a, 0.2, False)))
    yield Case(f"prelu/{name}", quick, *plain(with_slopes, F.prelu))
    yield Case(f"prelu_backward/{name}", quick, *gradient(F.prelu, with_slopes))
    yield Case(f"scale_add/{name}", quick, *plain(two, lambda a, r: a * 0.2 + r))

    def shuffled(make):
        size = make.side(112)
        return make.image(batch, 48, size, t), make.image(batch, 3, size, t)

    def shuffle(a, base):
        return F.pixel_shuffle(a, 4) + F.interpolate(base, scale_factor=4, mode="nearest")

    yield Case(f"pixel_shuffle_add/112x112x48_4x/{dtype}/batch{batch}", quick,
               *plain(shuffled, shuffle))
    yield Case(f"pixel_unshuffle/112x112x12_2x/{dtype}/batch{batch}", quick,
               *plain(lambda make: (make.image(batch, 3, 2 * make.side(112), t),),
                      lambda a: F.pixel_unshuffle(a, 2)))


def cases(dtype, batch):
    yield from convolutions_3x3(dtype, batch)
    yield from elementwise(dtype, batch)
