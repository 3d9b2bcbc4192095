"""Trainables: every turn reaches the parameters that it moves."""

from __future__ import annotations

from ganbench.conformance.checks import Advice, Skip
from ganbench.conformance.partners import Subject
from ganbench.conformance.trace import CYCLES


def attached(subject: Subject) -> Advice | None:
    """Each player's loss depends on its parameters: nothing is detached on the way."""
    mend = "leave out .detach(), .data and torch.no_grad() between the network and the loss; players are frozen anyway"
    for form, seen in subject.traces.items():
        if seen.detached:
            return Advice(f"a turn's loss depends on no parameter that it moves, on {form.title}", mend)
        if seen.error is not None:
            raise Skip("it does not train")
        players = {key.partition(".")[0] for key in seen.reached}
        for player in sorted(players):
            own = [key for key in seen.reached if key.partition(".")[0] == player]
            if not any(seen.reached[key] for key in own):
                return Advice(f"no parameter of {player} ever has a gradient, on {form.title}", mend)
    return None


def gradients(subject: Subject) -> Advice | None:
    """Every parameter gets a gradient other than zero; one number, such as a logit's offset, may stay."""
    for form, seen in subject.traces.items():
        if seen.error is not None:
            raise Skip("it does not train")
        if still := seen.unreached:
            more = f" and {len(still) - 3} more" if len(still) > 3 else ""
            return Advice(
                f"no gradient within {CYCLES} cycles on {form.title}: {', '.join(still[:3])}{more}",
                "use it in forward, remove it, or freeze it on purpose with requires_grad_(False)",
            )
    return None


CHECKS = (attached, gradients)
