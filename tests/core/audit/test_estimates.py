"""Intervals contain the truth as often as they say, and estimators equal those of the libraries that have them."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, hypergeom
from statsmodels.stats.inter_rater import cohens_kappa, fleiss_kappa
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from core.answers.log import Decision
from core.audit.agreement import Ratings, agreement, dawid_skene
from core.audit.estimates import estimate
from core.audit.plan import allocate, sample_size
from core.audit.records import Audit, Item, Plan, Stratum
from core.audit.sequence import sequence
from core.audit.shares import difference, share
from core.demo import structure

DRAWS = 600


@pytest.fixture(scope="module")
def truth() -> pd.DataFrame:
    """The built-in dataset's 6,000 rows and whether each label is right."""
    return structure.plan(6_000, 0).rows


@pytest.mark.parametrize(
    ("by", "allocation", "part"),
    [
        (("label_kind",), "proportional", None),
        (("label_kind",), "equal", None),
        (("label_kind",), "neyman", None),
        (("geo",), "equal", None),
        (("label_kind", "geo"), "proportional", None),
        ((), "proportional", ("label_kind", "machine")),  # a part that cuts across the strata
        (("geo",), "equal", ("label_kind", "machine")),
        (("label_source",), "proportional", ("geo", "cz")),
    ],
)
def test_intervals_contain_the_truth(
    truth: pd.DataFrame, by: tuple[str, ...], allocation: str, part: tuple[str, str] | None
) -> None:
    right = ~truth["wrong_label"].to_numpy()
    inside = np.ones(len(truth), bool) if part is None else (truth[part[0]] == part[1]).to_numpy()
    names = truth[list(by)].agg(" ".join, axis=1) if by else np.zeros(len(truth))
    where = np.unique(names, return_inverse=True)[1]
    sizes = np.bincount(where)
    rates = np.bincount(where, right) / sizes
    weights = {
        "proportional": sizes,
        "equal": np.ones(len(sizes)),
        "neyman": sizes * np.sqrt(rates * (1 - rates) + 1e-3),
    }
    counts = np.array(allocate(weights[allocation].tolist(), sizes.tolist(), 400))
    rows = [np.flatnonzero(where == at) for at in range(len(sizes))]
    true = right[inside].mean()
    rng = np.random.default_rng(1)
    wilson = exact = 0
    for _ in range(DRAWS):
        drawn = [rng.choice(some, n, replace=False) for some, n in zip(rows, counts, strict=True)]
        mine = [inside[some].sum() for some in drawn]
        found = share(sizes, counts, mine, [(right & inside)[some].sum() for some in drawn])
        wilson += found.low <= true <= found.high
        exact += found.exact_low <= true <= found.exact_high
        assert found.exact_low <= found.low + 0.01 and found.exact_high >= found.high - 0.01
    assert 0.93 <= wilson / DRAWS <= 0.97
    assert exact / DRAWS >= 0.94


def test_without_strata_the_coverage_is_exact(truth: pd.DataFrame) -> None:
    """Every possible sample, weighted by its probability: Wilson's interval is near 95%, the exact one never below."""
    size, right = len(truth), int((~truth["wrong_label"]).sum())
    for n in (100, 400):
        wilson = exact = 0.0
        for hits in range(int(0.8 * n), n + 1):
            found = share([size], [n], [n], [hits])
            chance = hypergeom.pmf(hits, size, right, n)
            wilson += chance * (found.low <= right / size <= found.high)
            exact += chance * (found.exact_low <= right / size <= found.exact_high)
        assert 0.93 <= wilson <= 0.97 and exact >= 0.95


def test_the_difference_of_kinds_contains_the_truth(truth: pd.DataFrame) -> None:
    right, machine = ~truth["wrong_label"].to_numpy(), (truth["label_kind"] == "machine").to_numpy()
    true = right[~machine].mean() - right[machine].mean()
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(DRAWS):
        rows = rng.choice(len(truth), 300, replace=False)
        sides = [
            share([len(truth)], [300], [side[rows].sum()], [(side & right)[rows].sum()])
            for side in (~machine, machine)
        ]
        found = difference(*sides)
        assert found is not None
        inside += found["low"] <= true <= found["high"]
    assert 0.93 <= inside / DRAWS <= 0.975


@pytest.mark.parametrize("strata", [1, 4])
def test_the_confidence_sequence_holds_at_every_look(truth: pd.DataFrame, strata: int) -> None:
    """Looked at after every 20 answers, down to the last: the truth was inside all the time."""
    right = ~truth["wrong_label"].to_numpy()[:2_000]
    where = np.arange(2_000) % strata
    where[where == strata - 1] = np.where(right[where == strata - 1], strata - 1, 0)  # unequal strata
    sizes = np.bincount(where, minlength=strata)
    rng = np.random.default_rng(0)
    runs = 60
    held = 0
    for _ in range(runs):
        order = rng.permutation(2_000)
        inside = True
        for n in [*range(20, 400, 20), 2_000]:
            seen = order[:n]
            low, high = sequence(
                sizes,
                np.bincount(where[seen], minlength=strata),
                np.bincount(where[seen], right[seen], strata),
            )
            inside &= low - 1e-9 <= right.mean() <= high + 1e-9
        held += inside
    assert held >= 0.95 * runs


def test_one_stratum_equals_statsmodels_and_scipy() -> None:
    found = share([10**9], [150], None, [141])
    low, high = proportion_confint(141, 150, method="wilson")
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-6)
    exact = binomtest(141, 150).proportion_ci(0.95, "exact")
    assert (found.exact_low, found.exact_high) == pytest.approx((exact.low, exact.high), abs=1e-6)
    other = share([10**9], [200], None, [150])
    between = difference(found, other)
    assert between is not None
    newcombe = confint_proportions_2indep(141, 150, 150, 200, method="newcomb", compare="diff")
    assert (between["low"], between["high"]) == pytest.approx(newcombe, abs=1e-4)
    assert sample_size(0.05, 0.90) == 141 and sample_size(0.02, 0.95) == 469
    census = share([50, 50], [50, 50], None, [40, 50])
    assert census.low == census.high == pytest.approx(0.9)
    assert share([50, 50], [40, 0], None, [40, 0]).low < 0.5  # nothing is known of half of it


def test_agreement_equals_the_libraries_on_real_people(shared_data: Path) -> None:
    """CIFAR-10N: three answers on each of 50,000 pictures (Wei and others 2022)."""
    with gzip.open(shared_data / "cifar10n-labels.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    classes = sorted({row["clean"] for row in rows})
    codes = np.array([[classes.index(row[f"worker{k}"]) for k in (1, 2, 3)] for row in rows])
    people = ("worker1", "worker2", "worker3")
    found = agreement(Ratings(codes, people, tuple(classes)), repeats=50)
    assert found["raw"]["estimate"] == pytest.approx(0.7154, abs=1e-4)
    assert found["alpha"]["estimate"] == pytest.approx(0.6837, abs=1e-4)
    assert found["alpha"]["low"] < 0.6837 < found["alpha"]["high"]
    skene = dawid_skene(Ratings(codes, people, tuple(classes)))
    clean = np.array([classes.index(row["clean"]) for row in rows])
    assert (skene["probabilities"].argmax(axis=1) == clean).mean() == pytest.approx(0.9195, abs=1e-3)

    few = Ratings(codes[:1_000], people, tuple(classes))
    one = agreement(few, repeats=2)
    assert one["fleiss"]["estimate"] == pytest.approx(fleiss_kappa(few.counts()))
    pairs = [(0, 1), (0, 2), (1, 2)]
    tables = [np.histogram2d(few.codes[:, a], few.codes[:, b], bins=np.arange(11))[0] for a, b in pairs]
    kappas = [cohens_kappa(table).kappa for table in tables]
    assert one["cohen"]["estimate"] == pytest.approx(np.mean(kappas))
    from crowdkit.aggregation import DawidSkene
    from crowdkit.metrics.data import alpha_krippendorff

    long = pd.DataFrame(
        [
            (item, who, classes[code])
            for item, row in enumerate(few.codes)
            for who, code in zip(people, row, strict=True)
        ],
        columns=["task", "worker", "label"],
    )
    assert one["alpha"]["estimate"] == pytest.approx(alpha_krippendorff(long))
    theirs = DawidSkene(n_iter=30, tol=0.0).fit(long)
    ours = dawid_skene(few, rounds=30, tolerance=-1.0)["probabilities"]
    assert np.abs(theirs.probas_.loc[range(1_000), classes].to_numpy() - ours).max() < 0.02
    # Gwet's AC1 of two raters and two classes, by hand: 45 + 45 equal of 100, prevalence one half
    two = np.array([[0, 0]] * 45 + [[1, 1]] * 45 + [[0, 1]] * 5 + [[1, 0]] * 5)
    assert agreement(Ratings(two, ("a", "b"), ("x", "y")), 2)["ac1"]["estimate"] == pytest.approx(0.8)


def test_an_audit_says_what_it_found() -> None:
    found = estimate(audited(), repeats=20)
    assert found["reviewed"] == 60 and found["verdicts"] == {
        "right": 48,
        "wrong": 10,
        "ambiguous": 1,
        "unsure": 1,
    }
    assert found["accuracy"]["hits"] - found["accuracy_strict"]["hits"] == 1
    human, machine = (found["by"]["label_kind"][kind] for kind in ("human", "machine"))
    assert human["estimate"] == pytest.approx(29 / 30) and machine["estimate"] == pytest.approx(20 / 29)
    weighted = (900 * 29 / 30 + 100 * 20 / 29) / 1_000
    assert found["accuracy"]["estimate"] == pytest.approx(weighted)
    assert human["anytime_low"] is not None and found["by"]["geo"]["cz"]["anytime_low"] is None
    assert found["human_minus_machine"]["low"] > 0
    assert (
        found["confusion"]["pairs"][0]["true"] == "bags" and found["confusion"]["table"]["hats"]["bags"] == 10
    )
    assert found["agreement"]["answers"]["items"] == 19
    assert {one["who"]: one["gold"]["n"] for one in found["annotators"]} == {"Ana": 5, "Ben": 5}
    assert found["more"]["more"] > 0 and "more products" in found["words"][-1]
    assert any("Machine labels are right 69.0%" in line for line in found["words"])
    nobody = estimate(Audit(*[getattr(audited(), name) for name in ("plan", "items")]), repeats=2)
    assert nobody["accuracy"]["estimate"] is None and "Nobody has judged" in nobody["words"][0]


def audited() -> Audit:
    """30 human labels, 1 wrong, and 30 machine labels, 9 wrong, 1 ambiguous, 1 that nobody can tell; 5 gold items."""
    plan = Plan(
        plan="p", name="A plan", dataset="shop", fingerprint="f", cohort={}, frame=1_000, by=("label_kind",),
        strata=(Stratum("human", 900, 30), Stratum("machine", 100, 30)), allocation="equal", size=60, seed=0,
        labels=("bags", "hats"), half_width=0.02, overlap=0.3, anchoring=0.5, gold=5,
    )  # fmt: skip
    items = [
        Item(k, k, str(k), str(k), "hats", "shop", kinds[k % 2], "cz" if k % 3 else "sk", "train", k % 2, 0.1, k % 4 < 2,
             gold=None)
        for kinds in (("human", "machine"),) for k in range(60)
    ] + [Item(60 + k, 90 + k, "g", "g", "hats", "shop", "human", "cz", "train", None, None, False, gold="hats") for k in range(5)]  # fmt: skip
    answers = []
    for one in items:
        number = one.item // 2
        answer = "wrong" if one.item < 60 and number < (9 if one.item % 2 else 1) else "right"
        answer = {19: "ambiguous", 21: "unsure"}.get(one.item, answer)
        for who in ("Ana", "Ben") if one.item % 3 == 0 or one.gold else ("Ana",):
            label = "bags" if answer == "wrong" else None
            answers.append(
                Decision("p", one.item, who, f"{who}{one.item}", answer=answer, label=label, ms=900)
            )
    return Audit(plan, tuple(items), tuple(answers))
