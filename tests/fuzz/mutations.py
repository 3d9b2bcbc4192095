"""Damage to files: of their bytes, and of the values in them. Everything follows from the generator that is given."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

DEEP, NESTED, LONG, HALF = "@deep@", "@nested@", "@long@", "@half@"
"""Stand for a list 100,000 levels deep, objects 900 levels deep (which Python's parser takes), a number of 10,000
digits, and half a surrogate pair, until the text is made."""
HUGE = (2**63, 10**30, -(10**30), 10**400)
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 2**31, 2**63, -(2**63) - 1, 10**18, *HUGE, 1e80, -1e80, 1e308, 5e-324, -0.0),
    *(
        float("nan"),
        float("inf"),
        float("-inf"),
        "",
        " ",
        "a",
        "nan",
        "1",
        "a\nb\r\n",
        "\x1b[31mred\x00",
        "‮",
        "é" * 500,
    ),
    *("x" * 100_000, "../../../etc/passwd", "/dev/zero", "https://[::", "$(touch x)", "os.system", "{0.__class__}"),
    *([], {}, [[]], [{}], [1, "a", None], {"a": 1}, {"": {}}, list(range(1000)), {str(k): k for k in range(1000)}),
    *(DEEP, NESTED, LONG, HALF),
)


def damaged(data: bytes, draw: random.Random) -> bytes:
    """Other bytes: cut off, flipped, put in, left out, doubled, blanked, or no such file at all."""
    kind = draw.randrange(9)
    at, length = draw.randrange(len(data) + 1), draw.choice((1, 2, 8, 100))
    if kind == 0:
        return data[:at]
    if kind <= 2:
        flipped = bytearray(data or b" ")
        for _ in range(draw.choice((1, 1, 2, 8, 64))):
            flipped[draw.randrange(len(flipped))] ^= 1 << draw.randrange(8)
        return bytes(flipped)
    if kind == 3:
        return data[:at] + draw.randbytes(length) + data[at:]
    if kind == 4:
        return data[:at] + data[at + length :]
    if kind == 5:
        return data[:at] + data[at : at + 100 * length] * 2 + data[at + 100 * length :]
    if kind == 6:
        return data[:at] + b"\0" * length + data[at + length :]
    if kind == 7:
        return data + draw.choice((data, b"\0" * 4096, b"}", b"\n\n", draw.randbytes(64)))
    return draw.choice(
        (b"", b"\0", b"\xff" * 16, b"\xef\xbb\xbf" + data, data.decode("latin-1").encode("utf-16"), b"[]")
    )


def changed(value: Any, draw: random.Random) -> Any:
    """A copy of a tree of objects and lists with one to three of its nodes replaced, removed, renamed or added."""
    tree = {"root": json.loads(json.dumps(value))}
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        places = list(_places(tree))
        holder, key = draw.choice(places)
        kind = draw.randrange(8)
        if kind == 0 and holder is not tree:
            del holder[key]
        elif kind == 1 and isinstance(holder, dict) and holder is not tree:
            holder[draw.choice((f"{key}x", "", "\x1b]0;x\x07", "schema_version", "__class__"))] = holder.pop(key)
        elif kind == 2:
            other, there = draw.choice(places)
            holder[key] = (
                json.loads(json.dumps(other[there])) if there in (other if isinstance(other, dict) else ()) else {}
            )
        else:
            holder[key] = copy.deepcopy(draw.choice(ODD))
    return tree["root"]


def put(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    """A copy with another value at a path; objects on the way that are not there are made."""
    tree = copy.deepcopy(value)
    holder = tree
    for key in path[:-1]:
        holder = holder.setdefault(key, {}) if isinstance(holder, dict) else holder[key]
    holder[path[-1]] = new
    return tree


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every (holder, key) of a tree."""
    for key in list(tree) if isinstance(tree, dict) else range(len(tree)):
        yield tree, key
        if isinstance(tree[key], dict | list):
            yield from _places(tree[key])


def as_json(value: Any) -> bytes:
    """JSON text, NaN and infinities as Python writes them."""
    return _filled(json.dumps(value, ensure_ascii=False)).encode("utf-8", "surrogatepass")


def as_toml(value: Any) -> bytes:
    """TOML text: a null is an empty string there, and what is no table stands under a key of its own."""
    value = value if isinstance(value, dict) else {"value": value}
    return _filled("\n".join(f"{_word(k)} = {_toml(v)}" for k, v in value.items())).encode("utf-8", "surrogatepass")


def _filled(text: str) -> str:
    text = text.replace(f'"{DEEP}"', "[" * 100_000 + "]" * 100_000).replace(f'"{LONG}"', "9" * 10_000)
    return text.replace(f'"{NESTED}"', '{"a":' * 900 + "1" + "}" * 900).replace(HALF, "\\ud800")


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_word(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, float):
        return repr(value)
    return _word("" if value is None else value) if not isinstance(value, bool | int) else json.dumps(value)


def _word(text: Any) -> str:
    return json.dumps(str(text), ensure_ascii=True)
