"""The layers of EfficientNet-B0 at 224x224, in training and inference."""

from dataclasses import dataclass
from math import ceil

import torch
import torch.nn.functional as F

from .case import DTYPES, Case, gradient, is_quick, plain

EPS = 1e-3


@dataclass
class Block:
    name: str
    distinct: bool
    cin: int
    mid: int
    out: int
    kernel: int
    stride: int
    size: int
    out_size: int

    @property
    def typical(self):
        return self.name in ("blocks.1.0", "blocks.4.1")


def b0_blocks():
    stages = [(1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80),
              (3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320)]
    blocks, cin, size = [], 32, 112
    for stage, (repeats, kernel, first_stride, expansion, channels) in enumerate(stages):
        for i in range(repeats):
            stride = first_stride if i == 0 else 1
            blocks.append(Block(f"blocks.{stage}.{i}", i < 2, cin, cin * expansion, channels,
                                kernel, stride, size, size // stride))
            cin, size = channels, size // stride
    return blocks


def distinct_blocks():
    return [b for b in b0_blocks() if b.distinct]


def b0_parameter_shapes():
    """Of the convolutions, norms, squeeze-excites and the classifier of 1000 classes."""
    def norm(c):
        return [(c,), (c,)]

    shapes, last = [(32, 3, 3, 3)] + norm(32), 32
    for b in b0_blocks():
        if b.mid != b.cin:
            shapes += [(b.mid, b.cin, 1, 1)] + norm(b.mid)
        r = b.cin // 4
        shapes += [(b.mid, 1, b.kernel, b.kernel)] + norm(b.mid)
        shapes += [(r, b.mid, 1, 1), (r,), (b.mid, r, 1, 1), (b.mid,), (b.out, b.mid, 1, 1)]
        shapes += norm(b.out)
        last = b.out
    return shapes + [(1280, last, 1, 1)] + norm(1280) + [(1000, 1280), (1000,)]


def b0_activation(b):
    return f"b0_{b.name}_{b.out_size}x{b.out_size}x{b.mid}"


def activations(dtype, batch):
    t = DTYPES[dtype]
    for b in distinct_blocks():
        def x(make, b=b):
            return make.image(batch, b.mid, make.side(b.out_size), t, -6, 6)

        def both(make, x=x):
            return x(make), x(make)

        name, quick = f"{b0_activation(b)}/{dtype}/batch{batch}", is_quick(dtype, batch, b.typical)
        yield Case(f"swish/{name}", quick, *plain(lambda make, x=x: (x(make),), F.silu))
        yield Case(f"swish_backward/{name}", quick, *plain(both, torch.ops.aten.silu_backward))


def depthwise(dtype, batch):
    t = DTYPES[dtype]
    for b in distinct_blocks():
        c, k = b.mid, b.kernel
        stride, pad = [b.stride] * 2, [k // 2] * 2

        def inputs(make, b=b, c=c, k=k):
            size = make.side(b.size)
            return (make.image(batch, c, size, t), make.filter(c, 1, k, t),
                    make.image(batch, c, ceil(size / b.stride), t))

        def forward(x, w, dy, stride=stride, pad=pad, c=c):
            return F.conv2d(x, w, None, stride, pad, 1, c)

        def fused(x, w, dy, shift, stride=stride, pad=pad, c=c):
            y = F.silu(F.conv2d(x, w, shift, stride, pad, 1, c))
            return y, y.mean((2, 3))

        def grad(x, w, dy, mask, stride=stride, pad=pad, c=c):
            return torch.ops.aten.convolution_backward(dy, x, w, None, stride, pad, [1, 1], False,
                                                       [0, 0], c, mask)

        name = f"b0_{b.name}_{b.size}x{b.size}x{c}_k{k}s{b.stride}/{dtype}/batch{batch}"
        quick = is_quick(dtype, batch, b.typical)
        yield Case(f"depthwise_conv/{name}", quick, *plain(inputs, forward), compiles=False)
        yield Case(f"depthwise_conv_bn_silu_pool/{name}", quick, *plain(
            lambda make, i=inputs, c=c: (*i(make), make.numbers(c, dtype=t)), fused))
        for kind, mask in (("data", [True, False, False]), ("weight", [False, True, False])):
            yield Case(f"depthwise_conv_{kind}_grad/{name}", quick, *plain(
                inputs, lambda x, w, dy, g=grad, mask=mask: g(x, w, dy, mask)), compiles=False)


def batch_norms(dtype, batch):
    t = DTYPES[dtype]
    for b in distinct_blocks():
        def inputs(make, b=b):
            return (make.image(batch, b.mid, make.side(b.out_size), t),
                    make.numbers(b.mid, low=0.5, high=1.5), make.numbers(b.mid))

        def with_running(make, b=b, inputs=inputs):
            return (*inputs(make), make.numbers(b.mid), make.numbers(b.mid, low=0.5, high=2))

        def evaluate(x, gamma, beta, mean, var):
            return F.silu(F.batch_norm(x, mean, var, gamma, beta, False, 0.1, EPS))

        def train(x, gamma, beta):
            return F.silu(F.batch_norm(x, None, None, gamma, beta, True, 0.1, EPS))

        def statistics(x):
            return torch.var_mean(x, (0, 2, 3), correction=0)

        name, quick = f"{b0_activation(b)}/{dtype}/batch{batch}", is_quick(dtype, batch, b.typical)
        yield Case(f"batch_norm_statistics/{name}", quick,
                   *plain(lambda make, i=inputs: i(make)[:1], statistics))
        yield Case(f"batch_norm_silu/{name}", quick, *plain(with_running, evaluate))
        yield Case(f"batch_norm_silu_train/{name}", quick, *plain(inputs, train))
        yield Case(f"batch_norm_silu_backward/{name}", quick, *gradient(train, inputs))


def squeeze_excite(x, w1, b1, w2, b2):
    gates = torch.sigmoid(F.linear(F.silu(F.linear(x.mean((2, 3)), w1, b1)), w2, b2))
    return x * gates[:, :, None, None]


def squeeze_excite_weights(make, c, r, t):
    a, wide = (3 / c) ** 0.5, (3 / r) ** 0.5
    return (make.numbers(r, c, low=-a, high=a, dtype=t), make.numbers(r, dtype=t),
            make.numbers(c, r, low=-wide, high=wide, dtype=t), make.numbers(c, dtype=t))


def squeeze_excites(dtype, batch):
    t = DTYPES[dtype]
    for b in distinct_blocks():
        def inputs(make, b=b):
            return (make.image(batch, b.mid, make.side(b.out_size), t),
                    *squeeze_excite_weights(make, b.mid, b.cin // 4, t))

        name, quick = f"{b0_activation(b)}/{dtype}/batch{batch}", is_quick(dtype, batch, b.typical)
        yield Case(f"squeeze_excite/{name}", quick, *plain(inputs, squeeze_excite))
        yield Case(f"squeeze_excite_backward/{name}", quick, *gradient(squeeze_excite, inputs))


def pointwise(dtype, batch):
    t = DTYPES[dtype]

    def expand(x, w, shift):
        return F.silu(F.conv2d(x, w, shift))

    def project(x, w, shift, gates):
        return F.conv2d(x * gates, w, shift)

    def project_residual(x, w, shift, gates, residual):
        return F.conv2d(x * gates, w, shift) + residual

    def case(label, size, cin, out, function, typical, residual=False):
        def inputs(make):
            side = make.side(size)
            of = [make.image(batch, cin, side, t), make.filter(out, cin, 1, t),
                  make.numbers(out, dtype=t)]
            if function is not expand:
                of.append(make.numbers(make.batch(batch), cin, 1, 1, low=0, dtype=t))
            return of + ([make.image(batch, out, side, t)] if residual else [])

        name = f"pointwise_conv/{label}_{size}x{size}x{cin}to{out}/{dtype}/batch{batch}"
        return Case(name, is_quick(dtype, batch, typical), *plain(inputs, function))

    for b in distinct_blocks():
        if b.mid != b.cin:
            yield case(f"b0_{b.name}_expand", b.size, b.cin, b.mid, expand, b.typical)
        residual = b.stride == 1 and b.cin == b.out
        yield case(f"b0_{b.name}_project", b.out_size, b.mid, b.out,
                   project_residual if residual else project, b.typical, residual)
    yield case("b0_head", 7, 320, 1280, expand, False)


def mbconvs(dtype, batch):
    t = DTYPES[dtype]
    for b in b0_blocks():
        residual = b.stride == 1 and b.cin == b.out
        expands = b.mid != b.cin  # the first block's convolution reads x itself

        def inputs(make, b=b):
            return (make.image(batch, b.cin, make.side(b.size), t),
                    make.filter(b.mid, b.cin, 1, t), make.numbers(b.mid, dtype=t),
                    make.filter(b.mid, 1, b.kernel, t), make.numbers(b.mid, dtype=t),
                    *squeeze_excite_weights(make, b.mid, b.cin // 4, t),
                    make.filter(b.out, b.mid, 1, t), make.numbers(b.out, dtype=t))

        def forward(x, we, be, wd, bd, w1, b1, w2, b2, wp, bp, b=b, residual=residual,
                    expands=expands):
            y = F.silu(F.conv2d(x, we, be)) if expands else x
            y = F.silu(F.conv2d(y, wd, bd, b.stride, b.kernel // 2, 1, b.mid))
            y = F.conv2d(squeeze_excite(y, w1, b1, w2, b2), wp, bp)
            return y + x if residual else y

        name = (f"b0_{b.name}_{b.size}x{b.size}x{b.cin}to{b.out}_k{b.kernel}s{b.stride}"
                f"/{dtype}/batch{batch}")
        yield Case(f"mbconv/{name}", b.distinct and is_quick(dtype, batch, b.typical),
                   *plain(inputs, forward))


def cases(dtype, batch):
    for family in (activations, depthwise, batch_norms, squeeze_excites, pointwise, mbconvs):
        yield from family(dtype, batch)
