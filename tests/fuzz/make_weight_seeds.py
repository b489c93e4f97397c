"""Writes the seeds of the fuzz targets for weight files from the golden files.

Run from this folder: python make_weight_seeds.py
Made with onnx 1.23.2.
"""

import pathlib
import zipfile

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

golden = pathlib.Path("../golden/weights")


def seed(target, name, content):
    folder = pathlib.Path("seeds") / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def torch_seeds():
    for name in ("deflated", "wrapped", "module", "torchscript", "big_endian"):
        seed("torch", name, (golden / f"{name}.pt").read_bytes())
        with zipfile.ZipFile(golden / f"{name}.pt") as archive:
            entry = next(e for e in archive.namelist() if e.endswith("/data.pkl"))
            seed("pickle", name, archive.read(entry))
    seed("torch", "legacy", (golden / "legacy.pt").read_bytes())
    seed("zip", "deflated", (golden / "wrapped.pt").read_bytes())
    seed("zip", "zip64", (golden / "protocol4.pt").read_bytes())
    with zipfile.ZipFile(golden / "protocol4.pt") as archive:
        seed("pickle", "protocol4", archive.read("archive/data.pkl"))


def onnx_seeds():
    weight = numpy_helper.from_array(numpy.arange(8, dtype="f4").reshape(2, 1, 2, 2), "w")
    scale = helper.make_tensor("scale", TensorProto.FLOAT, [2], [1.0, 2.0])
    half = helper.make_tensor("half", TensorProto.FLOAT16, [2], [0.5, 2.0])
    count = helper.make_tensor("count", TensorProto.INT64, [1], [7])
    nodes = [
        helper.make_node("Identity", ["scale"], ["alias"]),
        helper.make_node("Constant", [], ["constant"], value=half),
        helper.make_node("Pad", ["x", "count"], ["padded"]),
        helper.make_node("Conv", ["padded", "w"], ["y"], pads=[0, 0, 1, 1], auto_pad="NOTSET"),
        helper.make_node("BatchNormalization", ["y", "alias", "scale", "constant", "half"], ["z"]),
        helper.make_node("Gemm", ["z", "w", "scale"], ["out"], transB=1),
    ]
    image = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 8, 8])
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, None)
    for name, part in (("kept", nodes), ("folded", nodes[:4] + nodes[5:])):
        graph = helper.make_graph(part, "g", [image], [out], [weight, scale, half, count])
        seed("onnx", name, helper.make_model(graph).SerializeToString())


def other_seeds():
    for name in ("expected", "srvgg"):
        seed("safetensors", name, (golden / f"{name}.safetensors").read_bytes())
    for name in ("srvgg_half", "srvgg_float"):
        seed("ncnn", name, (golden / f"{name}.param").read_bytes() + b"\0" +
             (golden / f"{name}.bin").read_bytes())


if __name__ == "__main__":
    torch_seeds()
    onnx_seeds()
    other_seeds()
