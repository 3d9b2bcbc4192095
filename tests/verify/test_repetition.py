"""What is said of a run and its repetition, from records alone."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from ganbench.rank import read_record
from ganbench.verify.repetition import Verdict, judge

REAL = Path(__file__).resolve().parents[2] / "results" / "mnist-quick"
NOWHERE = (Path("nowhere"), Path("nowhere"))


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    (folder,) = REAL.glob("dcgan-hinge-s0-*")
    record = read_record(folder)
    assert record is not None
    return record


def with_headline(record: dict[str, Any], value: float | None, seed: int = 0, **changes: Any) -> dict[str, Any]:
    made = copy.deepcopy({**record, "seed": seed, **changes})
    made["scores"][0]["value"] = value
    return made


def verdict(recorded: dict[str, Any], made: dict[str, Any], *others: dict[str, Any]) -> Verdict:
    return judge(recorded, made, [recorded, *others], NOWHERE)


def test_equal_in_everything_but_clocks(recorded: dict[str, Any]) -> None:
    made = copy.deepcopy(recorded)
    made["counters"]["seconds"] += 9
    made["throughput"]["images_per_second"] = 1.0
    found = verdict(recorded, made)
    assert found.word == "bitwise" and found.first is None and found.surroundings == ()
    assert {"counters", "look at cycle 157", "weights of G", "fd/mnist-cnn of last-ema"} <= {
        c.what for c in found.compared
    }


def test_the_first_difference_is_the_earliest(recorded: dict[str, Any]) -> None:
    made = with_headline(recorded, 34.5)
    made["weights"]["D"] = "0" * 64
    first = verdict(recorded, made).first
    assert first is not None and (first.what, first.differs) == (
        "weights of D", f"sha256 {recorded['weights']['D'][:12]}… recorded, 000000000000… here"
    )  # fmt: skip
    made["looks"][2]["value"] = 9.0
    first = verdict(recorded, made).first
    assert first is not None and first.what == "look at cycle 469" and "9 here (-7" in str(first.differs)
    made["counters"]["real_images"] = 30_000
    first = verdict(recorded, made).first
    assert first is not None and first.what == "counters"
    assert first.differs == "real_images: 40000 recorded, 30000 here (-25 %)"


def test_three_seeds_predict(recorded: dict[str, Any]) -> None:
    """Seeds at 30, 31 and 32 predict 26.4 to 36.4 for another (t with 2 degrees of freedom, on the log)."""
    own = with_headline(recorded, 31.0)
    others = with_headline(recorded, 30.0, 1), with_headline(recorded, 32.0, 2)
    changed = {"weights": {"G": "0" * 64, "D": "1" * 64}}
    for value, word in (
        (31.5, "consistent"),
        (27.0, "consistent"),
        (36.3, "consistent"),
        (26.3, "inconsistent"),
        (36.5, "inconsistent"),
    ):
        found = verdict(own, with_headline(recorded, value, **changed), *others)
        assert found.word == word, value
        assert "the 95 % prediction interval of its 3 seeds, [26.3986, 36.3782]" in found.why
        assert "on one machine and with the same versions every bit should be equal" in found.why
    elsewhere = copy.deepcopy(recorded["environment"])
    elsewhere["machine"], elsewhere["versions"]["torch"] = "another", "9.9.9"
    found = verdict(own, with_headline(recorded, 31.5, **changed, environment=elsewhere), *others)
    assert found.word == "consistent" and "every bit" not in found.why
    assert found.surroundings[1] == f"torch {recorded['environment']['versions']['torch']} recorded, 9.9.9 here"


def test_fewer_seeds_say_what_they_can(recorded: dict[str, Any]) -> None:
    made = with_headline(recorded, 34.5, weights={"G": "0" * 64, "D": "1" * 64})
    here = verdict(recorded, made, with_headline(recorded, 36.0, 1))
    assert here.word == "inconsistent" and "every bit should be equal" in here.why
    timed = {**recorded, "suite": {**recorded["suite"], "budget": {"seconds": 60}}}
    assert verdict(timed, made).word == "undecided"
    made["environment"]["versions"]["torch"] = "9.9.9"
    found = verdict(recorded, made, with_headline(recorded, 36.0, 1))
    assert found.word == "undecided" and "every bit" not in found.why
    was = f"{recorded['scores'][0]['value']:g}"
    assert (
        f"34.5, recorded was {was}; 3 seeds are needed for a prediction interval, this row has {was}, 36" in found.why
    )
    alike = verdict(recorded, with_headline(recorded, recorded["scores"][0]["value"] * (1 + 1e-9)))
    assert alike.word == "consistent" and alike.why.startswith("equal weights, and headlines within 1e-06")


def test_another_end(recorded: dict[str, Any]) -> None:
    found = verdict(recorded, {**recorded, "status": "diverged", "last_step": 3, "scores": [], "weights": {}})
    assert found.word == "inconsistent" and found.why.startswith("completed as recorded, diverged here")
    diverged = {**recorded, "status": "diverged", "last_step": 3, "scores": []}
    assert verdict(diverged, copy.deepcopy(diverged)).word == "bitwise"
    remeasured = copy.deepcopy(recorded)
    for score in remeasured["scores"]:
        score["fingerprint"] = "f" * 12
    assert verdict({**recorded, "weights": {}}, {**remeasured, "weights": {}}).word == "undecided"


def test_a_crafted_record_of_the_machine_is_another_machine(recorded: dict[str, Any]) -> None:
    crafted = {**recorded, "environment": {"machine": "another", "cpu": "x", "gpu": [1]}}
    found = verdict(crafted, copy.deepcopy(recorded))
    assert found.word == "bitwise" and "cpu model: null recorded" in found.surroundings[1]


def test_events_tell_the_cycle(recorded: dict[str, Any], tmp_path: Path) -> None:
    def log(name: str, loss: float, seconds: float) -> Path:
        lines = [{"cycle": c, "seconds": seconds * c, "losses": {"D": 1.0 if c < 3 else loss}} for c in (1, 2, 3, 4)]
        (tmp_path / name).write_text("\n".join(map(json.dumps, lines)) + "\n")
        return tmp_path / name

    files = log("a", 0.5, 1.0), log("b", 0.5, 2.0)
    assert judge(recorded, copy.deepcopy(recorded), [recorded], files).word == "bitwise"
    first = judge(recorded, with_headline(recorded, 1.0), [recorded], (files[0], log("c", 0.25, 1.0))).first
    assert first is not None and first.what == "events"
    assert first.differs == "cycle 3, losses D 0.5 recorded, 0.25 here (-50 %)"
    for bad in (b'"\xff"\n', b"9" * 2**22, b"[" * 2**19, b'{"a":' * 900 + b"1" + b"}" * 900):
        (tmp_path / "bad").write_bytes(bad)
        first = judge(recorded, recorded, [recorded], (tmp_path / "bad", tmp_path / "bad")).first
        assert first is None or first.differs == "line 1 is no JSON"
        first = judge(recorded, recorded, [recorded], (files[0], tmp_path / "bad")).first
        assert first is not None and first.what == "events"
    (tmp_path / "short").write_text(files[0].read_text().partition("\n")[0] + "\nno json\n")
    broken = judge(recorded, recorded, [recorded], (files[0], tmp_path / "short")).first
    assert broken is not None and broken.differs == "line 2 is no JSON"


def test_other_vector_code_is_told_and_nobody_is_accused(recorded: dict[str, Any]) -> None:
    """Earlier records do not say which it was."""
    older, newer = copy.deepcopy(recorded), with_headline(recorded, 34.5)
    older["environment"].pop("vector_code", None)
    newer["environment"]["vector_code"] = "DEFAULT"
    assert verdict(older, newer).surroundings == ()
    older["environment"]["vector_code"] = "AVX512"
    found = verdict(older, newer)
    assert found.surroundings == ('vector code "AVX512" recorded, "DEFAULT" here',)
    assert "record or code was changed" not in found.why
