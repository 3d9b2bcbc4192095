"""A turn as one compiled function: objective, gradients and Adam's update, without Python in between.

The turn's own Python is played once while every operation on tensors is written down, backward passes included, so that
penalties with their double backward compile like everything else. What is written down is compiled by torch. Each call
draws from torch's default generators what the eager turn draws.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ganbench.api import Batch, Turn
from ganbench.train.state import unsteady
from ganbench.train.views import answers_of

if TYPE_CHECKING:
    from ganbench.train.engine import Engine

Seen = dict[str, list[Tensor]]
OPTIONS: dict[str, Any] = {"fallback_random": True, "compile_threads": 1}
"""Of torch's compiler: random numbers as eager torch draws them, and no processes of its own."""
IN_ORDER = (2, 14)
"""The first torch known to compile several draws of random numbers in the order of the code; 2.11 does not."""


class CompiledTurns:
    """The turns of an engine, compiled when the first of them is played."""

    def __init__(self, engine: Engine, turns: Iterable[Turn]) -> None:
        self.engine, self._turns = engine, {turn.name: CompiledTurn(engine, turn) for turn in turns}
        self._unsteady = unsteady(engine)
        self._traced = False

    def refusal(self, reals: Mapping[str, Batch], latents: Batch) -> str | None:
        """Why one of the turns cannot be written down as operations on tensors; None if all are, by now."""
        if self._unsteady:
            return f"{self._unsteady}: its steps are not all the same"
        if not self._traced:
            before, aside = torch.get_rng_state(), self._aside()
            try:
                for turn in self._turns.values():
                    turn.trace(reals, latents)
            except Exception as error:
                return f"its step cannot be traced ({' '.join(str(error).split())[:200]})"
            finally:
                torch.set_rng_state(before)
            if kept := [name for name, value in self._aside().items() if value is not aside.get(name)]:
                return f"{kept[0]} is a tensor that its step keeps aside, which a compiled one would not make anew"
            if any(turn.draws > 1 for turn in self._turns.values()) and not _draws_in_order():
                return "its step draws random numbers more than once, which this torch compiles in another order"
            self._traced = True
        return None

    def _aside(self) -> dict[str, Tensor]:
        """Tensors in plain attributes of networks and components: what a term leaves there for `after`, say."""
        return {
            f"{kind}/{name}/{'.'.join(filter(None, (place, key)))}": value
            for kind, modules in self.engine.modules().items()
            for name, module in modules.items()
            for place, owner in module.named_modules()
            for key, value in vars(owner).items()
            if isinstance(value, Tensor)
        }

    def play(self, turn: Turn, reals: Mapping[str, Batch], latents: Batch) -> Seen:
        """One step of a turn; D's answers by origin."""
        engine = self.engine
        terms, norms, seen = self._turns[turn.name].play(reals, latents)
        engine.record(turn, terms)
        if engine.watch:
            engine.window.answers(turn.name, seen)
            for mover, norm in norms.items():
                engine.window.gradient(mover, norm)
        return seen

    def forget(self) -> None:
        """The optimizers' state was replaced: look it up anew."""
        for turn in self._turns.values():
            turn.forget()


class CompiledTurn:
    """Plays a turn of an engine. It changes the engine's own tensors: weights, buffers, the optimizers' state."""

    def __init__(self, engine: Engine, turn: Turn) -> None:
        self.engine, self.turn = engine, turn
        self._whole = _Whole({kind: nn.ModuleDict(modules) for kind, modules in engine.modules().items()})
        self._parameters = dict(self._whole.named_parameters())
        names = {id(p): name for name, p in self._parameters.items()}
        self._moved = {m: [names[id(p)] for p in engine.parameters[m]] for m in turn.moves if m in engine.optimizers}
        self._rates = {m: torch.zeros(()) for m in self._moved}
        self._terms: list[str] = []
        self._origins: list[str] = []
        self._traced: Any = None
        self._function: Any = None
        self.draws = 0
        """How many operations of the turn draw random numbers; known once it is traced."""
        self._state: list[Tensor] | None = None

    def forget(self) -> None:
        """Look the state up anew when it is needed."""
        self._state = None

    def trace(self, reals: Mapping[str, Batch], latents: Batch) -> None:
        """Play the turn once, on copies, and write down what it does."""
        from torch.fx.experimental.proxy_tensor import make_fx  # takes seconds

        def step(*tensors: Tensor) -> list[Tensor]:
            return self._step(reals, latents, iter(tensors))

        self._traced = make_fx(step)(*(t.clone() for t in self._inputs(reals, latents)))
        tags = [getattr(node.target, "tags", ()) for node in self._traced.graph.nodes]
        self.draws = sum(torch.Tag.nondeterministic_seeded in tag for tag in tags)

    def play(self, reals: Mapping[str, Batch], latents: Batch) -> tuple[dict[str, Tensor], dict[str, Tensor], Seen]:
        """One step; each term's mean, the norm of each mover's gradient, and D's answers by origin."""
        tensors = self._inputs(reals, latents)
        with torch.no_grad():
            if self._function is None:
                self._function, self._traced = compile_graph(self._traced, tensors), None
            terms, norms, *answers = self._function(*tensors)
        seen: Seen = {}
        for origin, answer in zip(self._origins, answers, strict=True):
            seen.setdefault(origin, []).append(answer)
        return dict(zip(self._terms, terms, strict=True)), dict(zip(self._moved, norms, strict=True)), seen

    def _inputs(self, reals: Mapping[str, Batch], latents: Batch) -> list[Tensor]:
        for mover, rate in self._rates.items():
            rate.fill_(self.engine.optimizers[mover].param_groups[0]["lr"])
        if self._state is None:
            self._state = [*(p.detach() for p in self._parameters.values()), *self._whole.buffers(), *self._memory()]
        context = [self.engine.context["step"], self.engine.context["progress"], *self._rates.values()]
        return [*self._state, *context, *(t for b in (*reals.values(), latents) for t in _tensors(b).values())]

    def _memory(self) -> list[Tensor]:
        """What Adam remembers, made now where it has not stepped yet."""
        found = []
        for mover, names in self._moved.items():
            state = self.engine.optimizers[mover].state
            for parameter in (self._parameters[name] for name in names):
                if not state[parameter]:
                    zeros = {k: torch.zeros_like(parameter.detach()) for k in ("exp_avg", "exp_avg_sq")}
                    state[parameter] = {"step": torch.zeros(()), **zeros}
                found += [state[parameter][k] for k in ("step", "exp_avg", "exp_avg_sq")]
        return found

    def _step(self, reals: Mapping[str, Batch], latents: Batch, tensors: Any) -> list[Tensor]:
        """The turn on other tensors, in the order of `_inputs`."""
        engine = self.engine
        weights = {name: next(tensors) for name in self._parameters}
        buffers = {name: next(tensors) for name, _ in self._whole.named_buffers()}
        moved = [name for names in self._moved.values() for name in names]
        memory = {name: (next(tensors), next(tensors), next(tensors)) for name in moved}
        known = {"step": next(tensors), "progress": next(tensors)}
        rates = {mover: next(tensors) for mover in self._moved}
        reals = {name: _rebuilt(batch, tensors) for name, batch in reals.items()}
        leaves = {name: weights[name].detach().requires_grad_() for name in moved}

        def objective() -> tuple[list[Tensor], Seen]:
            for view in engine.views.values():
                view.forget()
            with _told(engine.context, known):
                terms = engine.terms(self.turn, engine.known(self.turn, reals, _rebuilt(latents, tensors), 0))
            seen = answers_of(engine.views)
            for view in engine.views.values():
                view.forget()
            self._terms = list(terms)
            return list(terms.values()), seen

        terms, seen = functional_call(self._whole, {**weights, **buffers, **leaves}, (objective,))
        grads = torch.autograd.grad(torch.stack(terms).sum(), list(leaves.values()))
        self._origins = [origin for origin, answers in seen.items() for _ in answers]
        by_name, norms = dict(zip(leaves, grads, strict=True)), []
        with torch.no_grad():
            for mover, names in self._moved.items():
                norms.append(torch.stack([by_name[name].norm() for name in names]).norm())
                group = engine.optimizers[mover].param_groups[0]
                for name in names:
                    _adam(weights[name], by_name[name], *memory[name], rates[mover], group)
        answers = [answer for answers in seen.values() for answer in answers]
        return [torch.stack([t.detach() for t in terms]), torch.stack(norms), *answers]


@contextlib.contextmanager
def _told(context: dict[str, Any], others: Mapping[str, Tensor]) -> Iterator[None]:
    """Other tensors in a context for a while: the views of an engine look there, too."""
    kept = {name: context[name] for name in others}
    context.update(others)
    try:
        yield
    finally:
        context.update(kept)


def compile_graph(graph: Any, tensors: list[Any]) -> Any:
    """What was written down, compiled for these tensors and others of their shapes, types and places in memory.

    By torch's inductor itself: what `torch.compile` gives would look at every call whether they are, and a turn of a
    small network is over sooner than that.
    """
    from torch._inductor import standalone_compile  # takes seconds

    return standalone_compile(graph, tensors, dynamic_shapes="from_example_inputs", options={"config_patches": OPTIONS})


def _draws_in_order() -> bool:
    return tuple(int(part) for part in torch.__version__.split(".")[:2]) >= IN_ORDER


class _Whole(nn.ModuleDict):
    """All modules of a game; calling it calls a function while `functional_call` holds other tensors in place."""

    def forward(self, function: Any) -> Any:
        return function()


def _adam(weight: Tensor, grad: Tensor, step: Tensor, m: Tensor, v: Tensor, rate: Tensor, group: Any) -> None:
    """Adam's update as `torch.optim.Adam` has it."""
    first, second = group["betas"]
    if group["weight_decay"]:
        grad = grad + group["weight_decay"] * weight
    step.add_(1)
    m.lerp_(grad, 1 - first)
    v.mul_(second).addcmul_(grad, grad, value=1 - second)
    size = rate / (1 - first**step)
    weight.sub_(size * m / (v.sqrt() / (1 - second**step).sqrt() + group["eps"]))


def _tensors(batch: Batch) -> dict[str, Tensor]:
    fields = {"x": batch.x, "y": batch.y, "z": batch.z, **batch.extra}
    return {k: v for k, v in fields.items() if isinstance(v, Tensor)}


def _rebuilt(batch: Batch, tensors: Any) -> Batch:
    """The batch with its tensors replaced by the next ones."""
    new = {k: next(tensors) for k in _tensors(batch)}
    fields = {k: new.pop(k) for k in ("x", "y", "z") if k in new}
    return batch.but(**fields, extra={**batch.extra, **new})
