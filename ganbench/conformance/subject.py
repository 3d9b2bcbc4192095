"""What a check is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ganbench.plugins import Registered, Registry


@dataclass
class Subject:
    """A registered record, and the registry in which it may look for what it goes with."""

    registered: Registered
    registry: Registry
    _kept: dict[str, Any] = field(default_factory=dict)

    @property
    def record(self) -> Any:
        """The record itself."""
        return self.registered.record

    def once(self, key: str, make: Callable[[], Any]) -> Any:
        """What `make` gives, made once for all checks of this component."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]
