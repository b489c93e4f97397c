"""What PyTorch does for the benchmarks of mien_cuda_bench."""

from . import efficientnet, images, super_resolution, training
from .case import BATCHES, DTYPES


def all_cases():
    found = []
    for dtype in DTYPES:
        for batch in BATCHES:
            for family in (efficientnet.cases, super_resolution.cases, images.normalizations):
                found += family(dtype, batch)
        found += training.losses(dtype)
        found += training.optimisers(dtype)
    for batch in BATCHES:
        found += images.resizes(batch)
    return found
