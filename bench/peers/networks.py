"""The peers' side of mien's networks, in PyTorch, with random weights that keep activations finite."""

import torch
import torch.nn.functional as F
from torch import nn


class DenseBlock(nn.Module):
    def __init__(self, feat, grow):
        super().__init__()
        for k in range(5):
            out = grow if k < 4 else feat
            setattr(self, f"conv{k + 1}", nn.Conv2d(feat + k * grow, out, 3, 1, 1))

    def forward(self, x):
        grown = [x]
        for k in range(1, 5):
            conv = getattr(self, f"conv{k}")
            grown.append(F.leaky_relu(conv(torch.cat(grown, 1)), 0.2))
        return self.conv5(torch.cat(grown, 1)) * 0.2 + x


class RRDB(nn.Module):
    def __init__(self, feat, grow):
        super().__init__()
        self.rdb1, self.rdb2, self.rdb3 = (DenseBlock(feat, grow) for _ in range(3))

    def forward(self, x):
        return self.rdb3(self.rdb2(self.rdb1(x))) * 0.2 + x


class RRDBNet(nn.Module):
    """ESRGAN's generator with Real-ESRGAN's parameter names and its input unshuffle."""

    def __init__(self, scale=4, feat=64, blocks=23, grow=32):
        super().__init__()
        self.unshuffle = {4: 1, 2: 2, 1: 4}[scale]
        self.conv_first = nn.Conv2d(3 * self.unshuffle**2, feat, 3, 1, 1)
        self.body = nn.Sequential(*(RRDB(feat, grow) for _ in range(blocks)))
        for name in ("conv_body", "conv_up1", "conv_up2", "conv_hr"):
            setattr(self, name, nn.Conv2d(feat, feat, 3, 1, 1))
        self.conv_last = nn.Conv2d(feat, 3, 3, 1, 1)

    def forward(self, x):
        x = self.conv_first(F.pixel_unshuffle(x, self.unshuffle))
        x = x + self.conv_body(self.body(x))
        for conv in (self.conv_up1, self.conv_up2):
            x = F.leaky_relu(conv(F.interpolate(x, scale_factor=2, mode="nearest")), 0.2)
        return self.conv_last(F.leaky_relu(self.conv_hr(x), 0.2))


class SRVGGNetCompact(nn.Module):
    """Real-ESRGAN's compact network: convolutions with PReLU, pixel shuffle, nearest residual."""

    def __init__(self, feat=64, convs=16, scale=4):
        super().__init__()
        self.scale = scale
        layers = [nn.Conv2d(3, feat, 3, 1, 1), nn.PReLU(feat)]
        for _ in range(convs):
            layers += [nn.Conv2d(feat, feat, 3, 1, 1), nn.PReLU(feat)]
        layers.append(nn.Conv2d(feat, 3 * scale * scale, 3, 1, 1))
        self.body = nn.ModuleList(layers)

    def forward(self, x):
        y = x
        for layer in self.body:
            y = layer(y)
        up = F.interpolate(x, scale_factor=self.scale, mode="nearest")
        return F.pixel_shuffle(y, self.scale) + up


def random_weights(net, seed=0):
    """Variance-keeping normal weights; batch-norm statistics near those of real activations."""
    generator = torch.Generator().manual_seed(seed)
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            fan = module.weight[0].numel()
            module.weight.data.normal_(0, (1.6 / fan) ** 0.5, generator=generator)
            if module.bias is not None:
                module.bias.data.normal_(0, 0.05, generator=generator)
        elif isinstance(module, nn.BatchNorm2d):
            module.weight.data.uniform_(0.8, 1.2, generator=generator)
            module.bias.data.normal_(0, 0.1, generator=generator)
            module.running_mean.normal_(0, 0.1, generator=generator)
            module.running_var.uniform_(0.5, 1.5, generator=generator)
    return net.eval()


def make(name):
    """The network, and the shape of one input (c, h, w)."""
    if name == "efficientnet_b0":
        import timm

        return timm.create_model("tf_efficientnet_b0", num_classes=10), (3, 224, 224)
    if name == "rrdbnet":
        return RRDBNet(), (3, 112, 112)
    if name == "srvgg":
        return SRVGGNetCompact(), (3, 112, 112)
    raise SystemExit(f"unknown network {name}: efficientnet_b0, rrdbnet or srvgg")
