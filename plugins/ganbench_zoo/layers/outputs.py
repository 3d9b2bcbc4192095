"""The last activation of a generator: samples in the range that the data declares."""

from __future__ import annotations

from torch import Tensor, nn


class ScaledTanh(nn.Module):
    """tanh stretched to `(low, high)`: a sample's values lie strictly between them, up to rounding."""

    def __init__(self, low: float, high: float) -> None:
        super().__init__()
        self.center = (low + high) / 2
        self.radius = (high - low) / 2

    def forward(self, x: Tensor) -> Tensor:
        """Pre-activations of any shape to values in the range."""
        return self.center + self.radius * x.tanh()

    def extra_repr(self) -> str:
        """The range, for `print(net)`."""
        return f"{self.center - self.radius}, {self.center + self.radius}"


def output_activation(bounds: tuple[float, float] | None) -> nn.Module:
    """tanh for `(-1, 1)`, a scaled tanh for other bounds, the identity where values are unbounded (`None`)."""
    if bounds is None:
        return nn.Identity()
    low, high = bounds
    return nn.Tanh() if (low, high) == (-1.0, 1.0) else ScaledTanh(low, high)
