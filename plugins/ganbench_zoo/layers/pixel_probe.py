"""A small convolutional classifier on pixels, trained in one call: what samples teach without any network before.

[conv 3×3 of stride 2, batch norm, ReLU] until at most 8 pixels are left, twice as wide each time → linear
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

BATCH, TESTED, SMALLEST = 128, 1_000, 8
"""Images in a step, and in a step of testing; pixels to which the maps are halved."""


def network(shape: tuple[int, ...], classes: int, width: int, start: torch.Generator) -> nn.Sequential:
    """Images `(B, *shape)` to logits `(B, classes)`. width: channels of the first layer. start: draws the weights."""
    layers: list[nn.Module] = []
    channels, height, breadth = shape
    while min(height, breadth) > SMALLEST:
        layers += [nn.Conv2d(channels, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
        channels, width, height, breadth = width, 2 * width, (height + 1) // 2, (breadth + 1) // 2
    made = nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * height * breadth, classes))
    for layer in made:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=start)
        if isinstance(layer, nn.Linear):
            nn.init.zeros_(layer.bias)
    return made


def fit(
    x: Tensor, y: Tensor, classes: int, start: torch.Generator, *, width: int, steps: int, lr: float
) -> Callable[[Tensor], Tensor]:
    """Train on images uint8 `(N, C, H, W)` and labels `(N,)`; returns images → predicted labels.

    start: draws weights and batches (with replacement). Adam, whose rate falls from `lr` to 0 along a line.
    """
    mean, scale = _moments(x)
    net = network(tuple(x.shape[1:]), classes, width, start).to(x.device)
    optimizer = torch.optim.Adam(net.parameters(), lr)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)
    with torch.enable_grad():
        for _ in range(steps):
            chosen = torch.randint(len(x), (BATCH,), generator=start).to(x.device)
            loss = F.cross_entropy(net((x[chosen].float() - mean) / scale), y[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    net.eval()

    def predict(x: Tensor) -> Tensor:
        with torch.no_grad():
            return torch.cat([net((some.float() - mean) / scale).argmax(1) for some in x.split(TESTED)])

    return predict


def _moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel, `(1, C, 1, 1)`, from the counts of its 256 values."""
    values = torch.arange(256, dtype=torch.float64, device=x.device)
    counts = [torch.bincount(channel.flatten(), minlength=256).double() for channel in x.unbind(1)]
    shares = torch.stack([c / c.sum() for c in counts])
    mean = shares @ values
    deviation = (shares @ values.square() - mean.square()).clamp_min(1.0).sqrt()
    return mean.float().reshape(1, -1, 1, 1), deviation.float().reshape(1, -1, 1, 1)
