"""A suite's levels: the form of their conditions, and whether the rows and columns that they speak of are there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ganbench.errors import UsageError, nearest, short
from ganbench.record.levels import AT_LEAST, AT_MOST, BELOW, BELOW_ROLE, BELOW_SHARE

ENDS = (AT_LEAST, AT_MOST)
CONDITIONS = (BELOW, BELOW_ROLE, f"{BELOW_SHARE}ROLE", *(f"NAME{end}" for end in ENDS))
SANITY = ("confidence", "histogram_tv")
"""What is known of a run's samples beside its columns."""


def check_form(levels: Mapping[str, Any], where: str) -> None:
    """Each level is a table of known conditions with a value of their type."""
    for name, conditions in levels.items():
        here = f"{where}, level '{name}'"
        if not isinstance(conditions, dict) or not conditions:
            raise UsageError(
                f"{here}: expected a table of conditions, such as {{ below = 10.0 }}, not {short(conditions)}"
            )
        for key, value in conditions.items():
            known = key in (BELOW, BELOW_ROLE) or key.startswith(BELOW_SHARE) or key.endswith(ENDS)
            if not known or key in (BELOW_SHARE, *ENDS):
                raise UsageError(f"{here}: unknown condition '{key}'; {nearest(key, CONDITIONS)}")
            words = key == BELOW_ROLE
            if not isinstance(value, str if words else int | float) or isinstance(value, bool):
                kind = "the role of a row of the scale" if words else "a number"
                raise UsageError(f"{here}: '{key}' must be {kind}, not {short(value)}")


def check_names(
    levels: Mapping[str, Mapping[str, Any]], where: str, roles: Iterable[str], columns: Collection[str]
) -> None:
    """What the conditions name is there. roles: of the suite's scale. columns: that it may have, whatever is chosen."""
    roles = sorted({*roles} - {""})
    names = {*SANITY, *columns, *(column.partition("/")[0] for column in columns)}
    for name, conditions in levels.items():
        for key, value in conditions.items():
            here = f"{where}, level '{name}': '{key}'"
            share = key.removeprefix(BELOW_SHARE) if key.startswith(BELOW_SHARE) else None
            role = value if key == BELOW_ROLE else share
            if role is not None and role not in roles:
                raise UsageError(f"{here} names no role of the suite's scale, '{role}'; {nearest(role, roles)}")
            for end in ENDS:
                word = key.removesuffix(end)
                if role is None and word != key and not {word, word.replace("_", "-")} & names:
                    raise UsageError(f"{here} bounds nothing that is measured, '{word}'; {nearest(word, names)}")
