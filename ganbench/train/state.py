"""The tensors of modules and optimizers by name, out and in again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from ganbench.train.draws import Stream

Modules = Mapping[str, Mapping[str, nn.Module]]
"""Modules by kind and name."""


def pack(modules: Modules, optimizers: Mapping[str, torch.optim.Optimizer]) -> dict[str, Tensor]:
    """`<kind>/<name>/<key>` and `optimizer/<name>/<parameter's index>/<key>`: all tensors there are."""
    tensors: dict[str, Tensor] = {}
    for kind, named in modules.items():
        for name, module in named.items():
            tensors |= {f"{kind}/{name}/{k}": v for k, v in module.state_dict().items() if isinstance(v, Tensor)}
    for name, optimizer in optimizers.items():
        for index, values in optimizer_state(optimizer).items():
            tensors |= {f"optimizer/{name}/{index}/{k}": v for k, v in values.items()}
    return tensors


def unpack(tensors: Mapping[str, Tensor], modules: Modules, optimizers: Mapping[str, torch.optim.Optimizer]) -> None:
    """Put back what `pack` gave."""
    for kind, named in modules.items():
        for name, module in named.items():
            module.load_state_dict(below(tensors, f"{kind}/{name}/"))
    for name, optimizer in optimizers.items():
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in below(tensors, f"optimizer/{name}/").items():
            index, _, field = key.partition("/")
            state.setdefault(int(index), {})[field] = value
        set_optimizer_state(optimizer, state)


def below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose name begins with a prefix, without it."""
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def optimizer_state(optimizer: torch.optim.Optimizer) -> dict[int, dict[str, Tensor]]:
    """A copy of what an optimizer remembers, by the parameter's index."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    return {
        i: {k: v.clone() for k, v in optimizer.state[p].items() if isinstance(v, Tensor)}
        for i, p in enumerate(parameters)
        if p in optimizer.state
    }


def set_optimizer_state(optimizer: torch.optim.Optimizer, state: Mapping[int, Mapping[str, Tensor]]) -> None:
    """Put back what `optimizer_state` gave, laid out in memory as the parameters are; step counts live on the host, as
    optimizers keep them (a fused one: on the device)."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    fused = bool(optimizer.defaults.get("fused"))
    optimizer.state.clear()
    for index, values in state.items():
        parameter = parameters[index]
        optimizer.state[parameter] = {
            k: torch.empty_like(parameter).copy_(v)
            if v.shape == parameter.shape and k != "step"
            else v.clone().to("cpu" if k == "step" and not fused else parameter.device)
            for k, v in values.items()
        }


def snapshot(
    tensors: Sequence[Tensor], optimizers: Sequence[torch.optim.Optimizer], streams: Sequence[Stream]
) -> Callable[[], None]:
    """Remember values, what optimizers remember, and data positions; what it returns puts them back."""
    values, positions = [t.detach().clone() for t in tensors], [s.position for s in streams]
    states = [optimizer_state(o) for o in optimizers]

    def give_back() -> None:
        with torch.no_grad():
            for tensor, value in zip(tensors, values, strict=True):
                tensor.copy_(value)
        for optimizer, state in zip(optimizers, states, strict=True):
            set_optimizer_state(optimizer, state)
        for stream, position in zip(streams, positions, strict=True):
            stream.position = position

    return give_back
