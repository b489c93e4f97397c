"""Normalisation and resizing of images of bytes."""

import torch
import torch.nn.functional as F

from .case import DTYPES, Case, is_quick, plain


def normalizations(dtype, batch):
    t = DTYPES[dtype]
    for channels in (3, 8):
        def inputs(make):
            size = make.side(224)
            x = make.numbers(make.batch(batch), size, size, 3, low=0, high=256, dtype=torch.uint8)
            mean = torch.tensor([0.485, 0.456, 0.406], device=make.device)
            return x, mean, torch.tensor([0.229, 0.224, 0.225], device=make.device)

        def normalize(x, mean, deviation, channels=channels):
            y = ((x / 255.0 - mean) / deviation).to(t)
            return F.pad(y, (0, channels - 3)) if channels > 3 else y

        yield Case(f"normalize_image/224x224x3to{channels}/{dtype}/batch{batch}",
                   is_quick(dtype, batch, True), *plain(inputs, normalize))


def resizes(batch):
    """Antialiased in float and rounded, as torchvision does it on a GPU: not Pillow's bits."""
    for w, h in ((500, 375), (112, 112)):
        def inputs(make, w=w, h=h):
            x = make.numbers(make.batch(batch), h, w, 3, low=0, high=256, dtype=torch.uint8)
            return (x.permute(0, 3, 1, 2),)

        def resize(x):
            y = F.interpolate(x.float(), (224, 224), mode="bilinear", antialias=True)
            return y.round().clamp(0, 255).to(torch.uint8)

        yield Case(f"resize_pillow/{w}x{h}to224x224/u8/batch{batch}", batch in (1, 64),
                   *plain(inputs, resize))
