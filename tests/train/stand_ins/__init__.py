"""Tiny stand-ins for every hard case that the contract between a GAN and the engine must carry."""

from . import between, data, games, labels, lookahead, memory, style, terms
from .base import StandIn, train

CASES: dict[str, StandIn] = {
    case.name: case
    for module in (terms, labels, memory, between, lookahead, games, style, data)
    for case in module.CASES
}

__all__ = ["CASES", "StandIn", "train"]
