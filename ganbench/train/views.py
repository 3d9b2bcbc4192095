"""`D` and `G` as terms see them: a network and what stands between it and a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ganbench.api import Answer, Batch
from ganbench.train.names import forward_fields, plays

Chain = Sequence[Callable[[Batch], Batch]]


class View:
    """A network behind its chain of views (augmentation, noise, packing).

    It passes a batch's fields to `forward` by parameter name (`input`, as PyTorch's own modules call theirs, is x where
    the batch has samples, else z) and answers once per batch object until `forget`.
    autocast: the type that the network computes in; what it gives is float32 again. channels_last: how images are laid
    out for it.
    """

    def __init__(
        self,
        name: str,
        net: nn.Module,
        chain: Chain = (),
        parameters: Mapping[str, Tensor] | None = None,
        *,
        autocast: torch.dtype | None = None,
        channels_last: bool = False,
    ) -> None:
        self.name, self.net = name, net
        self._autocast, self._channels_last = autocast, channels_last
        self._chain, self._parameters = tuple(chain), parameters
        self._fields = forward_fields(net)
        self._memo: dict[int, tuple[Batch, Tensor | None, Answer]] = {}

    @property
    def width(self) -> int:
        """Width of the features that the network hands out."""
        return int(self.net.width)  # type: ignore[arg-type]

    def parameters(self) -> Iterator[nn.Parameter]:
        """The network's parameters."""
        return self.net.parameters()

    def __call__(self, batch: Batch) -> Tensor:
        """The logits `(B,)` (or whatever single tensor the network gives)."""
        logit = self.answer(batch).logit
        if logit is None:
            raise TypeError(f"{self.name} answered without a logit; its loss should use {self.name}.answer(batch)")
        return logit

    def answer(self, batch: Batch) -> Answer:
        """All that the network says of a batch; the same object is asked only once."""
        hit = self._memo.get(id(batch))
        if hit is None:
            hit = (batch, None, self._ask(batch))
            self._memo[id(batch)] = hit
        return hit[2]

    def slope(self, batch: Batch) -> Tensor:
        """Gradient of the summed logits with respect to `batch.x`, `(B, *shape)`, itself differentiable.

        The only place where a penalty's inner gradient is taken.
        """
        hit = self._memo.get(id(batch))
        if hit is None or hit[1] is None:
            assert batch.x is not None
            x = batch.x if batch.x.requires_grad else batch.x.detach().requires_grad_()
            with torch.enable_grad():
                hit = (batch, x, self._ask(batch.but(x=x)))
            self._memo[id(batch)] = hit
        answer, point = hit[2], hit[1]
        assert point is not None
        target = answer.logit if answer.logit is not None else answer.energy
        assert target is not None
        with torch.enable_grad():
            return torch.autograd.grad(target.sum(), point, create_graph=True)[0]

    def gradient(self, function: Callable[[Tensor], Tensor], at: Tensor) -> Tensor:
        """Gradient of the sum of `function(at)` with respect to `at`, itself differentiable."""
        with torch.enable_grad():
            point = at if at.requires_grad else at.detach().requires_grad_()
            return torch.autograd.grad(function(point).sum(), point, create_graph=True)[0]

    def make(self, latents: Batch) -> Batch:
        """Samples `(B, *spec.shape)` from latents; the labels and the latents stay in the batch."""
        return latents.but(x=self._forward(latents), origin="fake")

    def using(self, parameters: Mapping[str, Tensor]) -> View:
        """The same view with other parameters (functional: gradients flow into them)."""
        return View(
            self.name, self.net, self._chain, parameters, autocast=self._autocast, channels_last=self._channels_last
        )

    def forget(self) -> None:
        """Drop the remembered answers."""
        self._memo.clear()

    def seen(self) -> dict[str, list[Tensor]]:
        """Detached answers by the origin of their batch: logits, or energies."""
        found: dict[str, list[Tensor]] = {}
        for batch, _, answer in self._memo.values():
            value = answer.logit if answer.logit is not None else answer.energy
            if value is not None:
                found.setdefault(batch.origin, []).append(value.detach())
        return found

    def _ask(self, batch: Batch) -> Answer:
        for view in self._chain:
            batch = view(batch)
        output = self._forward(batch)
        return output if isinstance(output, Answer) else Answer(logit=output)

    def _forward(self, batch: Batch) -> Any:
        arguments = {}
        for name, required in self._fields:
            value = batch.get(name)
            if value is None and required and name == "input":
                value = batch.z if batch.x is None else batch.x
            if value is not None:
                arguments[name] = value
            elif required:
                raise TypeError(
                    f"{self.name}.forward needs '{name}', which this batch ({batch.origin}) does not have; "
                    f"{_mend(name, batch)}"
                )
        if self._channels_last:
            arguments = {k: _channels_last(v) for k, v in arguments.items()}
        if self._autocast is None:
            return self._call(arguments)
        device = next((v.device.type for v in arguments.values() if isinstance(v, Tensor)), "cpu")
        with torch.autocast(device, self._autocast):
            output = self._call(arguments)
        return _float32(output)

    def _call(self, arguments: dict[str, Any]) -> Any:
        if self._parameters is not None:
            return functional_call(self.net, dict(self._parameters), args=(), kwargs=arguments)
        return self.net(**arguments)


def answers_of(views: Mapping[str, View]) -> dict[str, list[Tensor]]:
    """What all discriminators answered since their views forgot, by the batch's origin."""
    found: dict[str, list[Tensor]] = {}
    for name, view in views.items():
        if plays("D", name):
            for origin, answers in view.seen().items():
                found.setdefault(origin, []).extend(answers)
    return found


def _mend(name: str, batch: Batch) -> str:
    """How to mend a `forward` that asks for what the batch does not have."""
    if name == "y":
        return 'it is handed labels in a conditional run: offers=("labels",), on data that have them'
    has = [field for field in ("x", "z", "y") if batch.get(field) is not None]
    return f"it has {', '.join([*has, *batch.extra])}: name the parameter {'z' if batch.x is None else 'x'}"


def _channels_last(value: Any) -> Any:
    images = isinstance(value, Tensor) and value.ndim == 4
    return value.contiguous(memory_format=torch.channels_last) if images else value


def _float32(output: Any) -> Any:
    """A tensor, or the tensors of an answer, in float32; whole numbers as they are."""
    if isinstance(output, Tensor):
        return output.float() if output.is_floating_point() else output
    if not isinstance(output, Answer):
        return output
    fields = {k: _float32(getattr(output, k)) for k in ("logit", "features", "classes", "energy")}
    return Answer(**fields, extra={k: _float32(v) for k, v in output.extra.items()})
