#!/usr/bin/env python3
"""PyTorch's outputs of whole networks: writes models.safetensors beside this file.

    python3 tests/golden/models/make_models.py

Needs torch, torchvision, timm, efficientnet_pytorch, numpy and safetensors. No weights are stored:
both sides draw them from the same counter-based generator, seeded by the tensor's name
(tests/support/named_weights.hpp is the C++ side).
"""

import os
import sys

import efficientnet_pytorch
import numpy
import timm
import torch
import torchvision
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "../../../bench/peers"))
import networks  # noqa: E402


def philox(blocks, key):
    """The first draw of mien's generator: four 32-bit words for each counter 0..blocks-1."""
    mask = numpy.uint64(0xFFFFFFFF)
    shift = numpy.uint64(32)
    c = [numpy.arange(blocks, dtype=numpy.uint64) & mask, numpy.arange(blocks, dtype=numpy.uint64) >> shift,
         numpy.zeros(blocks, numpy.uint64), numpy.zeros(blocks, numpy.uint64)]
    k0, k1 = key & 0xFFFFFFFF, key >> 32
    for _ in range(10):
        p0, p1 = numpy.uint64(0xD2511F53) * c[0], numpy.uint64(0xCD9E8D57) * c[2]
        c = [(p1 >> shift) ^ c[1] ^ numpy.uint64(k0), p1 & mask, (p0 >> shift) ^ c[3] ^ numpy.uint64(k1), p0 & mask]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return numpy.stack(c, 1)


def seed_of(text):
    value = 14695981039346656037
    for byte in text.encode():
        value = ((value ^ byte) * 1099511628211) % 2**64
    return value


def uniform(name, shape, low, high):
    """mien's rand<float>(shape, Generator(seed_of(name)), low, high)."""
    count = int(numpy.prod(shape, dtype=numpy.int64))
    words = philox((count + 3) // 4, seed_of(name)).reshape(-1)[:count]
    unit = (words >> numpy.uint64(8)).astype(numpy.float32) * numpy.float32(2.0**-24)
    low, high = numpy.float32(low), numpy.float32(high)
    return torch.from_numpy((low + (high - low) * unit).reshape(shape))


def named_value(name, tensor):
    """Weights that keep activations near their scale; the rules depend on name and shape alone."""
    shape = tuple(tensor.shape)
    if name.endswith("num_batches_tracked"):
        return tensor
    if name.endswith("running_var"):
        return uniform(name, shape, 0.45, 0.95)
    if len(shape) >= 2:
        fan = int(numpy.prod(shape[1:]))
        bound = numpy.float32(numpy.sqrt(4.8 / fan))
        return uniform(name, shape, -bound, bound)
    if name.endswith("weight"):
        return uniform(name, shape, 0.5, 1.5)  # batch norm, PReLU
    return uniform(name, shape, -0.1, 0.1)


def fill(net, rename=lambda name: name):
    state = {}
    for name, tensor in net.state_dict().items():
        state[name] = named_value(rename(name), tensor)
    net.load_state_dict(state)
    return net.eval()


def timm_names(net):
    """Names of `net`'s tensors in timm's naming: all sources have the same order and shapes."""
    reference = timm.create_model("tf_efficientnet_b0", num_classes=10).state_dict()
    ours = net.state_dict()
    assert [tuple(t.shape) for t in ours.values()] == [tuple(t.shape) for t in reference.values()]
    return dict(zip(ours, reference))


def run(net, x):
    with torch.no_grad():
        y = net(x)
    return (y.permute(0, 2, 3, 1) if y.dim() == 4 else y).contiguous()


def main():
    results = {}
    faces = uniform("faces", (2, 75, 66, 3), -1, 1)
    chw = faces.permute(0, 3, 1, 2)
    sources = {
        "timm-tf": timm.create_model("tf_efficientnet_b0", num_classes=10),
        "timm": timm.create_model("efficientnet_b0", num_classes=10),
        "torchvision": torchvision.models.efficientnet_b0(num_classes=10),
        "lukemelas": efficientnet_pytorch.EfficientNet.from_name(
            "efficientnet-b0", num_classes=10, image_size=(75, 66)),
    }
    for source, net in sources.items():
        names = timm_names(net)
        results[f"efficientnet_b0/{source}"] = run(fill(net, names.get), chw)
    counts = []
    for variant in range(8):
        net = timm.create_model(f"tf_efficientnet_b{variant}", num_classes=10)
        counts.append(sum(p.numel() for p in net.parameters()))
        if variant == 2:
            results[f"efficientnet_b{variant}/timm-tf"] = run(fill(net), chw)
    results["efficientnet/parameters"] = torch.tensor(counts)

    tile = uniform("tile", (1, 16, 12, 3), 0, 1)
    chw = tile.permute(0, 3, 1, 2)
    for scale, blocks in ((4, 23), (2, 2), (1, 2)):
        results[f"rrdbnet_x{scale}_{blocks}"] = run(fill(networks.RRDBNet(scale, blocks=blocks)), chw)
    results["srvgg_x4_16"] = run(fill(networks.SRVGGNetCompact()), chw)
    out = os.path.join(HERE, "models.safetensors")
    versions = dict(torch=torch.__version__, torchvision=torchvision.__version__, timm=timm.__version__,
                    efficientnet_pytorch=efficientnet_pytorch.__version__)
    save_file(results, out, metadata=versions)
    for name, value in results.items():
        print(name, tuple(value.shape), f"{value.double().std():.4g}")
    print(os.path.getsize(out), "bytes")


if __name__ == "__main__":
    main()
