"""Two rows side by side: in what they differ, what may not be compared, and whose verdict is whose."""

import math
from pathlib import Path

import numpy as np
import pytest
from made_records import HEADLINE, OTHERS, record, rows, scale_records, write
from scipy.stats import ttest_ind

from ganbench.errors import UsageError
from ganbench.rank import comparisons, from_records
from ganbench.rank.statistics import difference

RESULTS = Path(__file__).parents[2] / "results"
LOW, HIGH = [100.0, 112.0, 95.0, 104.0], [300.0, 340.0, 290.0, 310.0]


def of(tmp_path, records, a="a", b="b", name="runs"):
    (pair,) = comparisons(a, b, [write(tmp_path / name, [*records, *scale_records()], grid=False)]).pairs
    return pair


@pytest.mark.parametrize("log", [True, False])
def test_the_interval_of_a_difference_is_welchs(log):
    rng = np.random.default_rng(1)
    for sizes in ((3, 3), (3, 8), (10, 5)):
        a, b = (rng.lognormal(mean, 0.3, size) for mean, size in zip((1.0, 1.4), sizes, strict=True))
        scale = np.log if log else np.asarray
        expected = ttest_ind(scale(a), scale(b), equal_var=False).confidence_interval(0.95)
        found = difference(a, b, log)
        back = np.exp if log else float
        assert (found.low, found.high) == pytest.approx((back(expected.low), back(expected.high)))
        assert found.centre == pytest.approx(back(scale(a).mean() - scale(b).mean()))
    assert difference([1.0, 2.0], [3.0, 4.0, 5.0], False).centre == -2.5
    assert math.isnan(difference([1.0, 2.0], [3.0, 4.0, 5.0], False).low) and math.isnan(difference([], a, log).centre)
    assert math.isnan(difference([2.0] * 3, [1.0] * 3, log).low), "no spread says nothing of how sure this is"


def test_the_headline_of_two_rows_of_one_table_has_that_tables_verdict(tmp_path):
    more = rows(a=LOW, b=HIGH, c=[101.0, 99.0, 110.0, 106.0], d=[305.0, 335.0, 280.0, 300.0])
    pair = of(tmp_path, more)
    (board,) = from_records([*more, *scale_records()])
    line = next(p for p in board.pairs.to_dict("records") if {p["first"], p["second"]} == {"a", "b"})
    assert pair.better == "a" == line["better"]
    assert f"p = {line['holm']:.2g}, after Holm's correction over the 6 pairs of their table" in pair.verdict
    assert of(tmp_path, more, "b", "a").better == "b", "the second one that was named"
    close = of(tmp_path, more, "a", "c")
    assert close.better == "" and close.verdict.startswith("Neither is shown to be better (Welch's t, p = ")
    assert "Smallest detectable ratio: " in close.verdict
    headline, other = pair.columns[0], pair.columns[1]
    assert not other.log and headline.log and headline.change == difference(LOW, HIGH, True)
    assert headline.a.mean.low < headline.a.mean.centre < headline.a.mean.high and headline.a.n == 4


def test_two_folders_are_one_pair_and_no_family(tmp_path):
    one = write(tmp_path / "one", [*rows(a=LOW), *scale_records()], grid=False)
    two = write(tmp_path / "two", rows(b=HIGH), grid=False)
    (pair,) = comparisons(str(one), str(two), []).pairs
    expected = ttest_ind(np.log(LOW), np.log(HIGH), equal_var=False).pvalue
    assert pair.better == "a" and f"p = {expected:.2g}, this pair alone" in pair.verdict


def test_what_differs_is_named_and_nothing_else(tmp_path):
    recipe = {"lr": {"value": 0.1, "origin": "engine"}, "width": {"value": 16, "origin": "tier"}}
    one = rows(a=LOW)
    two = rows(b=HIGH)
    for each in one:
        each["entry"]["recipe"] = recipe
    for each in two:
        each["entry"]["recipe"] = recipe | {"lr": {"value": 0.1000000001, "origin": "suite"}, "r1.weight": 3}
        each["entry"] |= {"loss": "w", "mode": "fast"}
        each["plugins"] = [{"module": "deep", "sha256": "cd" * 32}, {"module": "own", "sha256": "ef" * 32}]
        each["environment"] = {**each["environment"], "machine": "xyz", "versions": {"torch": "3.0", "other": None}}
    two[3]["plugins"][0]["sha256"] = "99" * 32
    pair = of(tmp_path, [*one, *two])
    assert {d.what: (d.a, d.b) for d in pair.differs} == {
        "loss": (("hinge",), ("w",)),
        "mode": (("reference",), ("fast",)),
        "recipe lr": (("0.1",), ("0.1000000001",)),
        "recipe r1.weight": ((), ("3",)),
        "plugin deep": (("abababababab",), ("999999999999", "cdcdcdcdcdcd")),
        "plugin own": ((), ("efefefefefef",)),
    }
    assert {d.what for d in pair.beside} == {"machine", "torch"} and not pair.barriers
    assert not {"seconds", "images_per_second"} & set(pair.costs), "two machines"
    assert pair.costs["parameters_G"] == (350_211, 350_211)
    alone = of(tmp_path, rows(a=LOW, b=HIGH), name="alone")
    assert not alone.differs and alone.costs["seconds"] == (42.7, 42.7)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda r: r["suite"].update(version=2), "suite (version)"),
        (lambda r: r["suite"].update(budget={"real_images": 9}), "budget (real_images)"),
        (lambda r: r["entry"].update(conditional=True), "conditional"),
        (lambda r: r.update(data={"A": {"name": "d", "sha256": "e" * 64}}), "data (A name, A sha256)"),
        (lambda r: r["scores"][0].update(fingerprint="f", measurement={"k": 5, "x": {"n": 1}}), "measurement (k, x n)"),
        (lambda r: None, "comparability of the headline"),
    ],
)
def test_rows_that_the_protocol_keeps_apart_are_shown_and_not_compared(tmp_path, change, why):
    mine, yours = rows(a=LOW), rows(a=HIGH)
    for each in yours:
        change(each)
        each["scores"][0]["comparability"] = "another"
    one = write(tmp_path / "one", [*mine, *scale_records()], grid=False)
    (pair,) = comparisons(str(one), str(write(tmp_path / "two", yours, grid=False)), []).pairs
    assert pair.barriers == (why,)
    assert pair.better == "" and "may not be ranked against each other, for they differ in" in pair.verdict
    assert all(math.isnan(c.change.centre) and c.apart == "not comparable" for c in pair.columns)
    assert pair.columns[0].a.each == tuple(LOW)


def test_a_column_that_was_measured_otherwise_is_not_compared_and_the_headline_is(tmp_path):
    yours = rows(b=HIGH)
    for each in yours:
        each["scores"][2]["fingerprint"] = "otherwise"
    one = write(tmp_path / "one", rows(a=LOW), grid=False)
    (pair,) = comparisons(str(one), str(write(tmp_path / "two", yours, grid=False)), []).pairs
    assert {c.column.name: c.apart for c in pair.columns} == {
        HEADLINE: "", OTHERS[0]: "", OTHERS[1]: "measured otherwise", OTHERS[2]: ""
    }  # fmt: skip
    assert pair.better == "a"


def test_a_repetition_is_paired_and_has_no_verdict(tmp_path):
    again = rows(a=[value * share for value, share in zip(LOW, (1.0, 1.01, 1.0, 0.98), strict=True)])
    for each in again:
        each["environment"] = {**each["environment"], "machine": "other"}
    one = write(tmp_path / "one", rows(a=LOW), grid=False)
    two = write(tmp_path / "two", again, grid=False)
    (pair,) = comparisons(str(one), str(two), []).pairs
    assert pair.repeated and pair.better == "" and "2 of 4 headlines are equal to the last digit" in pair.verdict
    assert pair.columns[0].change.centre == pytest.approx((1.01 * 0.98) ** -0.25)
    assert pair.columns[0].change.high - pair.columns[0].change.low < 0.05, "pairs, not two spreads over seeds"


def test_failures_are_tested_by_ranks_and_have_no_interval(tmp_path):
    bad = [*rows(b=HIGH[:3]), record("b", 3, None, "diverged")]
    pair = of(tmp_path, [*rows(a=LOW), *bad])
    assert "exact permutation of ranks" in pair.verdict and pair.columns[0].apart == "seeds failed"
    assert pair.better == "a" and math.isnan(pair.columns[0].change.centre)
    worse = [*rows(b=HIGH[:1]), *(record("b", seed, None, "diverged") for seed in (1, 2, 3))]
    assert "B is unranked" in of(tmp_path, [*rows(a=LOW), *worse], name="worse").verdict


@pytest.mark.parametrize(
    ("a", "b", "why"),
    [
        ("a", "true", "B is a row of the scale"),
        ("a (raw)", "b", "A has other weights of the same runs"),
        ("short", "b", "A has fewer than 3 seeds"),
        ("a", "a", "both are the same row"),
    ],
)
def test_what_is_not_ranked_has_no_verdict(tmp_path, a, b, why):
    made = rows(a=LOW, b=HIGH, short=[1.0, 2.0])
    for each in made[: len(LOW)]:
        each["scores"].append({**each["scores"][0], "variant": "last-raw", "headline_variant": False})
    pair = of(tmp_path, made, a, b)
    assert pair.better == "" and why in pair.verdict
    quick = rows(a=LOW, b=HIGH)
    for each in quick:
        each["suite"]["ranks"] = False
    assert "too short to tell entries apart" in of(tmp_path, quick, name="quick").verdict


def test_folders_are_matched_entry_by_entry_and_the_rest_is_named(tmp_path):
    one = write(tmp_path / "one", [*rows(a=LOW, b=HIGH, old=LOW), *scale_records()], grid=False)
    changed = rows(b=HIGH, new=LOW)
    for each in changed[:4]:
        each["entry"]["key"] = "0" * 16
    two = write(tmp_path / "two", [*rows(a=HIGH), *changed, *scale_records()], grid=False)
    found = comparisons(str(one), str(two), [])
    assert [(p.a.row.label, p.b.row.label) for p in found.pairs] == [("a", "a"), ("b", "b")]
    assert (found.only_a, found.only_b) == (("old",), ("new",))
    only = comparisons(str(one), str(two), [], "b")
    assert [p.a.row.label for p in only.pairs] == ["b"] and only.only_a == ()
    run = next(path.parent for path in two.rglob("result.json") if '"label": "b"' in path.read_text())
    assert [p.a.row.label for p in comparisons(str(one), str(run), []).pairs] == ["b"]
    with pytest.raises(UsageError, match=r"no entry is in both: .*one has a, b, old; .*three has y, z\. Name two"):
        comparisons(str(one), str(write(tmp_path / "three", rows(z=LOW, y=LOW), grid=False)), [])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("dcgan-hing", "no folder dcgan-hing, and no entry of that name in .*mnist-quick; did you mean dcgan-hinge"),
        ("dcgan", "dcgan may be dcgan-hinge in mnist-quick, dcgan-lsgan in mnist-quick"),
    ],
)
def test_a_wrong_name_gets_the_nearest(name, said):
    with pytest.raises(UsageError, match=said):
        comparisons(name, "mlp-hinge", [RESULTS / "mnist-quick"])


def test_published_entries_are_found_by_label_by_dashes_and_by_the_beginning():
    home = [RESULTS / "mnist-standard"]
    for name in ("cdcgan · hinge [lr=0.001, width=16] [mode=fast]", "cdcgan-hinge-lr-0-001-width-16-mode-fast",
                 "CDCGAN-hinge"):  # fmt: skip
        (pair,) = comparisons(name, "cdcgan-lsgan", home).pairs
        assert pair.a.row.entry["loss"] == "hinge" and pair.b.row.entry["loss"] == "lsgan"
        (board,) = from_records([seed.record for row in pair.a.table.rows for seed in row.seeds if row.main])
        rank = board.frame[board.frame["label"] == pair.a.row.label].iloc[0]
        assert (pair.columns[0].a.mean.low, pair.columns[0].a.mean.high) == (rank["low"], rank["high"])
