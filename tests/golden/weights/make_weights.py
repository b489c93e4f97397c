"""Writes the small weight files that the readers are tested with, and what they hold.

Run from this folder: python make_weights.py
Made with torch 2.15.0, timm 1.0.31, torchvision 0.29.2, efficientnet_pytorch 0.7.1,
safetensors 0.8.0, onnx 1.23.2.
"""

import collections
import gzip
import hashlib
import io
import math
import struct
import sys
import types
import zipfile

import efficientnet_pytorch
import numpy
import timm
import torch
import torchvision
from safetensors.torch import save_file


def rezip(data, path, change=lambda name, content: content, method=zipfile.ZIP_DEFLATED):
    """Writes torch's archive anew by Python's zipfile, which deflates and needs no zip64."""
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(path, "w", method) as out:
        for name in source.namelist():
            info = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            info.compress_type = method
            out.writestr(info, change(name, source.read(name)))


def saved(obj, **options):
    buffer = io.BytesIO()
    torch.save(obj, buffer, **options)
    return buffer.getvalue()


def dense(tensors):
    return {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}


# Tensors of every type and of every way to lie in a storage.


def all_kinds():
    generator = torch.Generator().manual_seed(1)
    base = torch.randn(4, 6, generator=generator)
    image = torch.randn(2, 3, 4, 5, generator=generator)
    tensors = collections.OrderedDict()
    tensors["f32"] = base
    tensors["f64"] = base.double() * math.pi
    tensors["f16"] = torch.tensor([1.5, -0.0, 6e-8, 65504.0, math.inf, math.nan]).half()
    tensors["bf16"] = torch.tensor([1.5, -0.0, 1e-40, 3e38, -math.inf, math.nan]).bfloat16()
    tensors["i64"] = torch.tensor([0, -1, 2**62, -(2**63)])
    tensors["i32"] = torch.tensor([0, -1, 2**31 - 1], dtype=torch.int32)
    tensors["i16"] = torch.tensor([0, -1, 32767], dtype=torch.int16)
    tensors["i8"] = torch.tensor([0, -1, 127], dtype=torch.int8)
    tensors["u8"] = torch.tensor([0, 1, 255], dtype=torch.uint8)
    tensors["bool"] = torch.tensor([True, False, True])
    tensors["scalar"] = torch.tensor(7)
    tensors["empty"] = torch.empty(0, 3)
    tensors["shared_row"] = base[1]  # the storage of f32, at an offset
    tensors["shared_column"] = base[:, 2]
    tensors["every_other"] = base[::2, 1::2]
    tensors["transposed"] = base.t()
    tensors["channels_last"] = image.to(memory_format=torch.channels_last)
    tensors["permuted"] = image.permute(3, 0, 2, 1)
    tensors["expanded"] = torch.tensor([[3.0], [4.0]]).expand(2, 5)
    tensors["one"] = torch.full((1, 1, 1), 2.5).as_strided((1, 1, 1), (9, 7, 5))
    return tensors


def write_state_dicts():
    tensors = all_kinds()
    save_file(dense(tensors), "expected.safetensors", metadata={"key": 'text with "quotes", \u00e9'})
    open("state_dict.pt", "wb").write(saved(tensors))
    open("protocol4.pt", "wb").write(saved(tensors, pickle_protocol=4))
    open("legacy.pt", "wb").write(saved(tensors, _use_new_zipfile_serialization=False))
    rezip(saved(tensors), "deflated.pt")

    floats = {name: tensors[name] for name in ("f32", "shared_row", "channels_last")}

    def swap(name, content):
        if name.endswith("/byteorder"):
            return b"big"
        if "/data/" in name:
            return numpy.frombuffer(content, "<f4").astype(">f4").tobytes()
        return content

    rezip(saved(floats), "big_endian.pt", swap)

    small = {"conv.weight": tensors["f32"]}
    averaged = {"conv.weight": tensors["f32"] + 1}
    optimizer = {"state": {0: {"exp_avg": tensors["f32"]}}, "param_groups": [{"lr": 0.1}]}
    rezip(saved({"epoch": 3, "optimizer": optimizer, "params": small, "params_ema": averaged}),
          "wrapped.pt")
    rezip(saved({"epoch": 3, "args": types.SimpleNamespace(lr=1), "model": {"state_dict": averaged},
                 "optimizer": optimizer}), "wrapped_twice.pt")


# A whole pickled module, its classes under the names that timm 0.9 gives them.


class Conv2dSame(torch.nn.Conv2d):
    pass


class BatchNormAct2d(torch.nn.BatchNorm2d):
    def __init__(self, channels):
        super().__init__(channels, eps=0.001)
        self.act = torch.nn.SiLU()


class EfficientNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv_stem = Conv2dSame(3, 4, 3, stride=2, bias=False)
        self.bn1 = BatchNormAct2d(4)
        self.blocks = torch.nn.Sequential(
            torch.nn.Sequential(torch.nn.Conv2d(4, 4, 1), torch.nn.Identity()))
        self.alias = self.blocks[0][0]
        self.register_buffer("grid", torch.arange(6.0).reshape(2, 3).t())
        self.register_buffer("scratch", torch.zeros(3), persistent=False)
        self.gain = torch.nn.Parameter(torch.tensor(2.0))


def write_module():
    for cls, module in ((Conv2dSame, "timm.layers.conv2d_same"),
                        (BatchNormAct2d, "timm.layers.norm_act"),
                        (EfficientNet, "timm.models.efficientnet")):
        cls.__module__ = module
        home = types.ModuleType(module)
        setattr(home, cls.__name__, cls)
        sys.modules[module] = home
    torch.manual_seed(2)
    module = EfficientNet()
    rezip(saved(module), "module.pt")
    # Legacy files hold the classes' source code; a line stands for it here.
    torch.serialization.get_source_lines_and_file = lambda *_: (["source\n"], 0, "source.py")
    open("module_legacy.pt", "wb").write(saved(module, _use_new_zipfile_serialization=False))
    save_file(dense(module.state_dict()), "module.safetensors")


def write_torchscript():
    torch.manual_seed(3)
    net = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 1), torch.nn.BatchNorm2d(3))
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(net), buffer)
    keep = lambda name: not name.endswith((".py", ".debug_pkl"))
    with zipfile.ZipFile(io.BytesIO(buffer.getvalue())) as source:
        with zipfile.ZipFile("torchscript.pt", "w", zipfile.ZIP_DEFLATED) as out:
            for name in filter(keep, source.namelist()):
                out.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), source.read(name))
    save_file(dense(net.state_dict()), "torchscript.safetensors")


# The networks that are recognised. Tensor i of an EfficientNet is i everywhere: an expanded element
# of one small storage, so that the file stays small.


def numbered(state_dict):
    numbers = torch.arange(float(len(state_dict)))
    counters = torch.arange(len(state_dict))
    return collections.OrderedDict(
        (name, (numbers if tensor.is_floating_point() else counters)[i].expand(tensor.shape))
        for i, (name, tensor) in enumerate(state_dict.items()))


def write_efficientnets():
    rezip(saved({"state_dict": collections.OrderedDict(
        ("module." + name, tensor) for name, tensor in
        numbered(timm.create_model("tf_efficientnet_b0", num_classes=10).state_dict()).items())}),
        "efficientnet_timm.pt")
    rezip(saved(numbered(torchvision.models.efficientnet_b0(num_classes=10).state_dict())),
          "efficientnet_torchvision.pt")
    rezip(saved(numbered(efficientnet_pytorch.EfficientNet.from_name(
        "efficientnet-b0", num_classes=10).state_dict())), "efficientnet_lukemelas.pt")
    with open("efficientnet_names.txt", "w") as out:
        for variant in range(8):
            tensors = timm.create_model(f"tf_efficientnet_b{variant}").state_dict().items()
            lines = "".join(f"{name} ({', '.join(map(str, t.shape))})\n" for name, t in tensors)
            out.write(f"{len(tensors)} {hashlib.sha256(lines.encode()).hexdigest()}\n")


def rrdb_layers(blocks):
    """(Real-ESRGAN's, ESRGAN's, BSRGAN's name), outputs and inputs with 4 features, growth 2."""
    yield ("conv_first", "model.0", "conv_first"), 4, 3
    for i in range(blocks):
        for j in range(1, 4):
            for k in range(1, 6):
                yield ((f"body.{i}.rdb{j}.conv{k}", f"model.1.sub.{i}.RDB{j}.conv{k}.0",
                        f"RRDB_trunk.{i}.RDB{j}.conv{k}"), 4 if k == 5 else 2, 4 + 2 * (k - 1))
    yield ("conv_body", f"model.1.sub.{blocks}", "trunk_conv"), 4, 4
    yield ("conv_up1", "model.3", "upconv1"), 4, 4
    yield ("conv_up2", "model.6", "upconv2"), 4, 4
    yield ("conv_hr", "model.8", "HRconv"), 4, 4
    yield ("conv_last", "model.10", "conv_last"), 3, 4


def numbered_layers(layers):
    """All weights and biases are windows on one storage 0, 1, 2, ..."""
    layers = list(layers)
    total = sum(out * in_ * 9 + out for _, out, in_ in layers)
    numbers, at, state = torch.arange(float(total)), 0, collections.OrderedDict()
    for name, out, in_ in layers:
        state[name + ".weight"] = numbers[at:at + out * in_ * 9].view(out, in_, 3, 3)
        at += out * in_ * 9
        state[name + ".bias"] = numbers[at:at + out]
        at += out
    return state


def write_rrdbnets():
    for i, file in enumerate(("rrdbnet.pt", "rrdbnet_first_esrgan.pt", "rrdbnet_bsrgan.pt")):
        state = numbered_layers((names[i], out, in_) for names, out, in_ in rrdb_layers(2))
        rezip(saved({"params_ema": state} if i == 0 else state), file)


def write_ncnn(path, layers, half):
    """Convolutions (name, weight, bias) and PReLUs (name, slopes) as ncnn stores them."""
    lines = ["Input in 0 1 in"]
    payload = b""
    for name, weight, *bias in layers:
        if not bias:
            lines.append(f"PReLU {name} 1 1 in in 0={len(weight)}")
        else:
            out, _, _, kernel = weight.shape
            lines.append(f"Convolution      {name}  1 1 in in 0={out} 1={kernel} 4=1 5=1 "
                         f"6={weight.numel()} 9=2 -23310=1,2.000000e-01")
            raw = (weight.half() if half else weight).numpy().tobytes()
            payload += struct.pack("<I", 0x01306B47 if half else 0) + raw + b"\0" * (-len(raw) % 4)
        payload += (bias[0] if bias else weight).numpy().tobytes()
    text = f"7767517\n{len(lines)} 1\n" + "\n".join(lines) + "\n"
    open(path + ".param", "w").write(text)
    open(path + ".bin", "wb").write(payload)


def write_srvgg():
    torch.manual_seed(4)
    shapes = {"body.0": (3, 3), "body.2": (3, 3), "body.4": (3, 3), "body.6": (12, 3)}
    state = collections.OrderedDict()
    for name, (out, in_) in shapes.items():
        state[name + ".weight"] = torch.randn(out, in_, 3, 3).half().float()
        state[name + ".bias"] = torch.randn(out)
        if name != "body.6":
            state[f"body.{int(name[5:]) + 1}.weight"] = torch.rand(3)
    save_file(dense(state), "srvgg.safetensors")
    layers = []
    for name, tensor in state.items():
        if name.endswith(".bias"):
            layers[-1].append(tensor)
        else:
            layers.append([name[:-len(".weight")], tensor])
    write_ncnn("srvgg_half", layers, half=True)
    write_ncnn("srvgg_float", layers, half=False)
    layers = []
    for name, tensor in numbered_layers((n[0], o, i) for n, o, i in rrdb_layers(1)).items():
        layers.append([name[:-7], tensor]) if name.endswith("weight") else layers[-1].append(tensor)
    write_ncnn("rrdbnet", layers, half=False)


# ONNX: every parameter is constant, so that the file packs to little. The number stored for a
# convolution is its weight with the batch norm folded in.


def write_onnx():
    net = timm.create_model("tf_efficientnet_b0", num_classes=10).eval()
    expected = collections.OrderedDict()
    conv = None
    for i, (name, module) in enumerate(net.named_modules()):
        value = 0.5 + i / 512
        if isinstance(module, torch.nn.BatchNorm2d):
            values = {"weight": value, "bias": value / 2, "running_mean": value / 4,
                      "running_var": value * 2}
            for key, v in values.items():
                getattr(module, key).data.fill_(v)
            gain = value / math.sqrt(value * 2 + module.eps)
            expected[conv + ".weight"] *= gain
            expected[conv + ".bias"] = value / 2 - value / 4 * gain
        elif isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
            conv = name
            module.weight.data.fill_(value)
            expected[name + ".weight"] = value
            if module.bias is not None:
                module.bias.data.fill_(value / 8)
                expected[name + ".bias"] = value / 8
    buffer = io.BytesIO()
    torch.onnx.export(net, (torch.zeros(1, 3, 224, 224),), buffer, dynamo=False, opset_version=13,
                      input_names=["input"], output_names=["output"],
                      dynamic_axes={"input": {0: "n"}})
    with gzip.GzipFile("efficientnet.onnx.gz", "wb", mtime=0) as out:
        out.write(buffer.getvalue())
    save_file({name: torch.tensor(value) for name, value in expected.items()},
              "efficientnet_onnx.safetensors")


if __name__ == "__main__":
    write_state_dicts()
    write_module()
    write_torchscript()
    write_efficientnets()
    write_rrdbnets()
    write_srvgg()
    write_onnx()
