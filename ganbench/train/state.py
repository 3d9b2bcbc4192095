"""The tensors of modules and optimizers by name, out and in again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ganbench.train.draws import Stream

if TYPE_CHECKING:
    from ganbench.train.engine import Engine

Modules = Mapping[str, Mapping[str, nn.Module]]
"""Modules by kind and name."""


def state_of(engine: Engine) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Everything a checkpoint holds of an engine: tensors by name, and plain values."""
    tensors = pack(engine.stateful(), engine.optimizers)
    window, columns = engine.window.state()
    tensors |= {f"window/{k}": v for k, v in window.items()}
    plain = {
        "counters": engine.counters,
        "taken": engine.taken,
        "positions": {n: s.position for n, s in engine.streams.items()},
        "window": columns,
        "told": engine.told,
    }
    return tensors, plain


def load_into(engine: Engine, tensors: Mapping[str, Tensor], plain: Mapping[str, Any]) -> None:
    """Have an engine take up what `state_of` gave."""
    unpack(tensors, engine.stateful(), engine.optimizers)
    engine.counters.update(plain["counters"])
    engine.taken.update(plain["taken"])
    engine.reals = {}
    for name, position in plain["positions"].items():
        engine.streams[name].position = max(0, position - engine.recipe["batch_size"])
        if position:  # a turn that does not draw sees the last batch again
            engine.reals[name] = engine.streams[name].next(engine.recipe["batch_size"])
    engine.set_progress(**plain["told"])
    engine.window.load({k: v.to(engine.device) for k, v in below(tensors, "window/").items()}, plain["window"])


def known_buffers(modules: Modules) -> set[str]:
    """`<kind>/<name>/<key>` of the buffers that are there, and of those that may come: None, and not persistent."""
    return {
        f"{kind}/{name}/{'.'.join(filter(None, (place, key)))}"
        for kind, named in modules.items()
        for name, module in named.items()
        for place, owner in module.named_modules()
        for key, value in owner._buffers.items()
        if value is not None or key in owner._non_persistent_buffers_set
    }


def coming_buffers(modules: Modules) -> list[str]:
    """Those that may come to be, and are not there yet."""
    there = {
        f"{kind}/{name}/{key}"
        for kind, named in modules.items()
        for name, module in named.items()
        for key, _ in module.named_buffers(remove_duplicate=False)
    }
    return sorted(known_buffers(modules) - there)


def unsteady(engine: Engine) -> str | None:
    """What makes not all steps of a game the same; asked before the first. None if its networks have nothing such."""
    for name, net in engine.nets.items():
        if hasattr(net, "at_step"):
            return f"{name} has the hook 'at_step'"
    coming = coming_buffers(engine.modules())
    return f"{coming[0]} is a buffer that comes to be in a step" if coming else None


def pack(modules: Modules, optimizers: Mapping[str, torch.optim.Optimizer]) -> dict[str, Tensor]:
    """`<kind>/<name>/<key>` and `optimizer/<name>/<parameter's index>/<key>`: all tensors there are."""
    tensors: dict[str, Tensor] = {}
    for kind, named in modules.items():
        for name, module in named.items():
            tensors |= {f"{kind}/{name}/{k}": v for k, v in {**_fleeting(module), **_lasting(module)}.items()}
    for name, optimizer in optimizers.items():
        for index, values in optimizer_state(optimizer).items():
            tensors |= {f"optimizer/{name}/{index}/{k}": v for k, v in values.items()}
    return tensors


def unpack(tensors: Mapping[str, Tensor], modules: Modules, optimizers: Mapping[str, torch.optim.Optimizer]) -> None:
    """Put back what `pack` gave; a `ValueError` or a `RuntimeError` says what is not that."""
    for kind, named in modules.items():
        for name, module in named.items():
            found, mine = below(tensors, f"{kind}/{name}/"), {**_fleeting(module), **module.state_dict()}
            for key in found.keys() & mine.keys():
                if found[key].dtype != mine[key].dtype:
                    raise ValueError(f"{kind}/{name}/{key} is {found[key].dtype}, not {mine[key].dtype}")
            _put_back(module, {k: v for k, v in found.items() if k not in module.state_dict()})
            module.load_state_dict({k: v for k, v in found.items() if k in module.state_dict()})
    for name, optimizer in optimizers.items():
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in below(tensors, f"optimizer/{name}/").items():
            index, _, field = key.partition("/")
            state.setdefault(int(index), {})[field] = value
        _check(name, optimizer, state)
        set_optimizer_state(optimizer, state)


def _lasting(module: nn.Module) -> dict[str, Tensor]:
    return {k: v for k, v in module.state_dict().items() if isinstance(v, Tensor)}


def _fleeting(module: nn.Module) -> dict[str, Tensor]:
    """Buffers that are not persistent: no part of what is published of a network, but of what it goes on from."""
    lasting = module.state_dict()
    return {k: v for k, v in module.named_buffers() if k not in lasting}


def _put_back(module: nn.Module, values: Mapping[str, Tensor]) -> None:
    """Have buffers that are not persistent be as they were, or not be there if they were not."""
    now = _fleeting(module)
    device = next((t.device for t in module.state_dict().values() if isinstance(t, Tensor)), None)
    for key in sorted(now.keys() | values.keys()):
        place, _, name = key.rpartition(".")
        owner, value = module.get_submodule(place), values.get(key)
        if name not in owner._buffers:
            raise ValueError(f"{key} is nothing that it has")
        if value is not None and key in now and now[key].shape == value.shape:
            now[key].copy_(value)
        else:
            setattr(owner, name, None if value is None else value.to(device, copy=True))


def _check(name: str, optimizer: torch.optim.Optimizer, state: Mapping[int, Mapping[str, Tensor]]) -> None:
    """Hold an optimizer's state to what one of its kind remembers of a parameter."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    trial = nn.Parameter(torch.zeros(1))
    trial.grad = torch.zeros(1)
    other = type(optimizer)([trial], **optimizer.defaults)
    other.step()
    fields = {k: v.dtype for k, v in other.state[trial].items() if isinstance(v, Tensor)}
    for index, values in state.items():
        if {k: v.dtype for k, v in values.items()} != fields:
            raise ValueError(f"optimizer/{name}/{index} holds {', '.join(sorted(values))}")
        for key, value in values.items():
            if value.shape != (() if key == "step" else parameters[index].shape):
                raise ValueError(f"optimizer/{name}/{index}/{key} has the shape {tuple(value.shape)}")


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
