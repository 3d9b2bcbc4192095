"""Records are found, checked and refused."""

import json

import pytest
from made_records import record, rows, scale_records, write

from ganbench.errors import UsageError
from ganbench.rank import load_records


def test_finds_runs_in_a_tree_a_results_folder_and_a_single_run(tmp_path):
    made = write(tmp_path, rows(a=[1.0, 2.0]) + scale_records())
    assert len(load_records([tmp_path])) == 6
    single = made / "toys-full" / rows(a=[1.0])[0]["run_id"]
    assert [found["seed"] for found in load_records([single])] == [0]
    assert len(load_records([tmp_path, single])) == 6


def test_pending_runs_give_nothing_and_errors_are_records(tmp_path):
    (tmp_path / "pending").mkdir()
    (tmp_path / "pending" / "spec.json").write_text("{}")
    write(tmp_path, [record("a", status="oom")])
    assert [found["status"] for found in load_records([tmp_path])] == ["oom"]


def test_no_folder_and_no_runs_are_errors(tmp_path):
    with pytest.raises(UsageError, match="no folder"):
        load_records([tmp_path / "nowhere"])
    with pytest.raises(UsageError, match="no runs under"):
        load_records([tmp_path])


ERROR = {"value": 1.5, "method": "first order", "groups": None}


def test_scores_with_and_without_a_sampling_error_are_read(tmp_path):
    with_error, without = record("a"), record("b")
    with_error["scores"][0] |= {"sampling_error": ERROR, "parts": {"0": 130.0, "1": None}}
    with_error["scores"][1]["sampling_error"] = None
    write(tmp_path, [with_error, without], grid=False)
    found = {r["entry"]["label"]: r["scores"][0]["sampling_error"] for r in load_records([tmp_path])}
    assert found == {"a": ERROR, "b": None}


def broken(tmp_path, change):
    made = record("a")
    change(made)
    write(tmp_path, [made], grid=False)
    with pytest.raises(UsageError) as caught:
        load_records([tmp_path])
    assert ".json" in str(caught.value) and "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda r: r.update(schema_version=2), "schema_version"),
        (lambda r: r.pop("seed"), "`seed` is missing"),
        (lambda r: r.update(seed=True), "`seed`"),
        (lambda r: r["suite"].update(ranks="yes"), "`suite.ranks`"),
        (lambda r: r["suite"].pop("tier"), "`suite.tier`"),
        (lambda r: r["suite"]["columns"].append(3), "`suite.columns[4]`"),
        (lambda r: r["suite"].update(levels={"good": 1}), "`suite.levels.good`"),
        (lambda r: r["entry"].update(label=None), "`entry.label`"),
        (lambda r: r["entry"].update(loss=["hinge"]), "`entry.loss`"),
        (lambda r: r["entry"].update(regularizers="r1"), "`entry.regularizers`"),
        (lambda r: r["entry"].update(augmentations=["flip", 3]), "`entry.augmentations[1]`"),
        (lambda r: r.update(status="fine"), "`status`"),
        (lambda r: r.update(kind="other"), "`kind`"),
        (lambda r: r["scores"].append("x"), "`scores[4]`"),
        (lambda r: r["scores"][1].update(value="12"), "`scores[1].value`"),
        (lambda r: r["scores"][1].update(value=10**400), "`scores[1].value`"),
        (lambda r: r["scores"][1].update(value=float("nan")), "`scores[1].value`"),
        (lambda r: r.update(seed=10**30), "`seed`"),
        (lambda r: r["suite"]["levels"].update(good={"below": 10**400}), "`suite.levels.good.below`"),
        (lambda r: r["suite"].update(further=json.loads("[" * 900 + "]" * 900)), "`suite.further[0]"),
        (lambda r: r["entry"].update(label="\ud800evil"), "`entry.label`"),
        (lambda r: r.update(weights=["G"]), "`weights`"),
        (lambda r: r["weights"].update(G=["ab"]), "`weights.G`"),
        (lambda r: r["plugins"][0].update(sha256={}), "`plugins[0].sha256`"),
        (lambda r: r.update(plugins=["deep"]), "`plugins[0]`"),
        (lambda r: r["suite"].update(budget=["seconds"]), "`suite.budget`"),
        (lambda r: r["environment"].update(versions="new"), "`environment.versions`"),
        (lambda r: r["scores"][0].update(direction="up"), "`scores[0].direction`"),
        (lambda r: r["scores"][2].update(cautions=[{}]), "`scores[2].cautions`"),
        (lambda r: r["scores"][0].update(sampling_error=0.3), "`scores[0].sampling_error`"),
        (lambda r: r["scores"][0].update(sampling_error={"value": 1.0}), "`scores[0].sampling_error.method`"),
        (lambda r: r["scores"][0].update(sampling_error=ERROR | {"value": "1"}), "`scores[0].sampling_error.value`"),
        (lambda r: r["scores"][0].update(parts={"3": "x"}), "`scores[0].parts.3`"),
        (lambda r: r["sanity"]["last-ema"].update(histogram=["a"]), "`sanity.last-ema.histogram`"),
        (lambda r: r["throughput"].update(images_per_second=[]), "`throughput.images_per_second`"),
    ],
)
def test_refuses_with_the_file_and_the_key(tmp_path, change, named):
    assert named in broken(tmp_path, change)


def test_refuses_what_is_not_json(tmp_path):
    folder = write(tmp_path, [record("a")]) / "toys-full" / record("a")["run_id"]
    (folder / "result.json").write_text("{nope")
    with pytest.raises(UsageError, match=r"result\.json"):
        load_records([tmp_path])
    (folder / "result.json").write_text(json.dumps([1]))
    with pytest.raises(UsageError, match=r"result\.json"):
        load_records([tmp_path])
