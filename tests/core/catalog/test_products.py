"""Questions to a product table: what memory answers is what SQL and plain Python answer."""

from __future__ import annotations

import random
import threading
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.catalog import build
from core.catalog import info as catalog
from core.catalog.build import import_dataset
from core.catalog.cohort import CHOICES, NONE, Cohort, fold
from core.catalog.columns import ORDERS
from core.catalog.products import Products
from core.errors import StorageError, UnknownDatasetError, UsageError
from tests.shapes import glami_files, write_files, write_zip

NAMES = ["Šaty", "šaty ČERVENÉ", "50% sleva", "a_b", "ΦΌΡΕΜΑ ΛΌΓΟΣ", "φόρεμα λόγος", "İZMİR", "ısparta", "", "'quoted'",
         '"double"', "back\\slash", "<script>", "red dress", "Red", "dress", "nul", "日本語 シャツ", "e\u0301t\u00e9"]  # fmt: skip
WORDS = ["šaty", "ŠATY", "%", "_", "a_b", "λόγος", "ΛΌΓΟΣ", "izmir", "ISPARTA", "red", "red dress", "'", '"', "\\", "<script>", "シャツ", "ÉTÉ", "nothing at all", " ", "text 1"]  # fmt: skip


def rows(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Products with every kind of odd value, and with every column missing now and then."""
    rng = random.Random(seed)

    def maybe(*values: Any) -> Any:
        return rng.choice([*values, None])

    return [
        {
            "item_id": str(rng.randrange(count)),
            "image": maybe("a.jpg", "b.jpg", "none.jpg"),
            "name": rng.choice(NAMES) or f"product {number}",
            "description": maybe("", f"text {number}", rng.choice(NAMES) * rng.randint(1, 9)),
            "category": maybe(
                ["Women", "Shoes"], ["Women", "Shoes > Boots"], ["Women"], ["Men", "Shoes"], ["Ženy"]
            ),
            "split": maybe("train", "test"),
            "geo": maybe("cz", "sk", NONE, "c'z", "%"),
            "language": maybe("cs", "sk"),
            "label_source": maybe("admin", "rule"),
            "label_kind": maybe("human", "machine"),
        }
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def odd_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with 5,000 odd products, in several batches and row groups."""
    import json

    path = tmp_path_factory.mktemp("odd")
    lines = "\n".join(json.dumps(row) for row in rows(2_000)).encode()
    write_files(path / "own", {"t.jsonl": lines, "a.jpg": b"x", "b.jpg": b"x"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VITRINE_HOME", str(path / "home"))
        patch.setattr("core.sources.reading.BATCH_ROWS", 700)
        patch.setattr(build, "ROW_GROUP", 300)
        import_dataset("table", [str(path / "own" / "t.jsonl")], "odd")
    return path / "home"


@pytest.fixture
def products(odd_home: Path, monkeypatch: pytest.MonkeyPatch) -> Products:
    monkeypatch.setenv("VITRINE_HOME", str(odd_home))
    return Products.open("odd")


def cohorts(count: int, seed: int = 0) -> list[Cohort]:
    rng = random.Random(seed)
    paths = [
        ("Women",),
        ("Women", "Shoes"),
        ("Women", "Shoes > Boots"),
        ("Men",),
        ("(no category)",),
        ("None",),
        (),
    ]

    def some(*values: str) -> tuple[str, ...]:
        return tuple(rng.sample(values, rng.randint(1, 2))) if rng.random() < 0.35 else ()

    return [
        Cohort(
            "odd", split=some("train", "test", NONE), geo=some("cz", "sk", NONE, "c'z", "%", "nowhere"),
            language=some("cs", NONE), label_source=some("admin", "rule", "unknown", NONE), label_kind=some("human", NONE),
            category=tuple(rng.sample(paths, rng.randint(1, 2))) if rng.random() < 0.4 else (),
            text=rng.choice(WORDS) if rng.random() < 0.4 else "", picture=rng.choice([None, None, None, True, False]),
            item_id=tuple(str(rng.randrange(2_000)) for _ in range(300)) if rng.random() < 0.1 else (),
            image_id=some("a.jpg", "b.jpg", "none.jpg", NONE) if rng.random() < 0.2 else (),
        )
        for _ in range(count)
    ]  # fmt: skip


folded = lru_cache(maxsize=None)(fold)  # each text is compared with sixty cohorts


def is_in(product: dict[str, Any], cohort: Cohort) -> bool:
    """The cohort's meaning in plain Python."""
    for column in (*CHOICES, "item_id", "image_id"):
        chosen, value = getattr(cohort, column), product[column]
        if chosen and (NONE if value is None else value) not in chosen:
            return False
    if cohort.category and not any(product["category_path"][: len(path)] == path for path in cohort.category):
        return False
    if cohort.text:
        texts = [folded(product[name] or "") for name in ("name", "description")]
        if not all(any(word in text for text in texts) for word in folded(cohort.text).split()):
            return False
    return cohort.picture is None or (product["image"] is not None) == cohort.picture


def test_memory_sql_and_python_agree(products):
    everything = products.rows(limit=10_000)
    assert len(everything) == len(products) == 2_000
    for cohort in cohorts(60):
        expected = [product["row_id"] for product in everything if is_in(product, cohort)]
        assert (
            products.table("SELECT row_id FROM cohort ORDER BY 1", cohort).column(0).to_pylist() == expected
        ), cohort
        assert np.flatnonzero(products.mask(cohort)).tolist() == expected, cohort
        assert products.count(cohort) == len(expected)
        for column in CHOICES:
            others = [product for product in everything if is_in(product, cohort.with_(**{column: ()}))]
            counts = Counter(product[column] or NONE for product in others)
            assert products.facet(column, cohort) == counts
            assert list(products.facet(column, cohort)) == sorted(
                counts, key=lambda value: (-counts[value], value)
            )
        others = [product for product in everything if is_in(product, cohort.with_(category=()))]
        assert products.categories(cohort) == sorted(
            Counter(product["category_path"] for product in others).items()
        )


def test_pages_are_the_whole_order_cut_in_pieces(products):
    everything = products.rows(limit=10_000)

    def length(product: dict[str, Any]) -> int:
        return (product["name_length"] or 0) + (product["description_length"] or 0)

    keys: dict[str, Any] = {
        "dataset": lambda product: 0,
        "name": lambda product: (product["name"] is None, (product["name"] or "").encode()),
        "category": lambda product: product["category_path"],
        "shortest": length,
        "longest": lambda product: -length(product),
    }
    for cohort in [None, *cohorts(6, seed=5)]:
        chosen = [product for product in everything if cohort is None or is_in(product, cohort)]
        for order in ORDERS:
            paged = [
                row["row_id"]
                for at in range(0, len(chosen) + 1, 900)
                for row in products.rows(cohort, order, 3, at, 900)
            ]
            if order == "shuffle":
                assert sorted(paged) == [product["row_id"] for product in chosen]
            else:
                assert paged == [
                    product["row_id"]
                    for product in sorted(chosen, key=lambda p: (keys[order](p), p["row_id"]))
                ]


@pytest.mark.parametrize("seed", [0, 1, -1, 2**31, 2**63, 2**64 + 5, 10**40, -(10**40)])
def test_any_seed_shuffles(products, seed):
    order = [row["row_id"] for row in products.rows(order="shuffle", seed=seed, limit=2_000)]
    assert sorted(order) == list(range(2_000)) and order != list(range(2_000))
    assert order == [row["row_id"] for row in products.rows(order="shuffle", seed=seed, limit=2_000)]


def test_seeds_shuffle_differently_and_evenly(products):
    places = np.array(
        [[row["row_id"] for row in products.rows(order="shuffle", seed=seed)] for seed in range(40)]
    )
    assert len({tuple(page) for page in places.tolist()}) == 40
    assert len({tuple(page - page[0]) for page in places}) == 40  # nor is one a shift of another
    assert 900 < places.mean() < 1_100  # 40 pages of 24 out of 0..1999


def test_pages_beyond_the_end_and_before_the_start(products):
    assert products.rows(offset=2_000) == [] and products.rows(offset=10**12, order="name") == []
    assert products.rows(limit=0) == [] and products.rows(limit=-5) == []
    assert [row["row_id"] for row in products.rows(offset=-7, limit=2)] == [0, 1]
    assert [row["row_id"] for row in products.rows(offset=1_999)] == [1_999]
    assert products.by_row([3, 10**9, -1, 3, 0]) == [products.by_row([number])[0] for number in (3, 3, 0)]
    with pytest.raises(UsageError, match="cannot be sorted by 'price'"):
        products.rows(order="price")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="not counted by 'name'"):
        products.facet("name")


def test_an_item_id_that_repeats(products):
    everything = products.rows(limit=10_000)
    repeated = Counter(product["item_id"] for product in everything).most_common(1)[0]
    assert len(products.item(repeated[0])) == repeated[1] > 1
    assert products.item("'; DROP TABLE products; --") == []


def test_a_mask_is_the_callers_own(products):
    cohort = Cohort("odd", text="red")
    products.mask(cohort)[:] = False
    assert products.count(cohort) > 0


def test_many_threads_ask_at_once(products):
    asked = cohorts(30, seed=9)
    expected = [(products.count(cohort), products.facet("geo", cohort)) for cohort in asked]
    fresh, wrong = Products.open("odd"), []

    def ask(seed: int) -> None:
        for index in random.Random(seed).sample(range(len(asked)), len(asked)):
            if (fresh.count(asked[index]), fresh.facet("geo", asked[index])) != expected[index]:
                wrong.append(index)
            if fresh.frame("SELECT count(*) AS n FROM cohort", asked[index])["n"][0] != expected[index][0]:
                wrong.append(index)

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_answers_may_be_read_slowly_and_together(products):
    cohort = Cohort("odd", text="e")
    readers = [products.query("SELECT * FROM cohort", cohort).to_arrow_reader(100) for _ in range(3)]
    assert [reader.read_next_batch().num_rows for reader in readers * 2] == [100] * 6


def test_sql_reaches_nothing_but_the_table(products, tmp_path):
    (tmp_path / "secret.csv").write_text("a,b\n1,2\n")
    for sql in (
        f"SELECT * FROM '{tmp_path / 'secret.csv'}'",
        "SELECT * FROM read_text('/etc/passwd')",
        f"COPY (SELECT 1) TO '{tmp_path / 'out.csv'}'",
        f"COPY (SELECT 1) TO '{products.path.parent / 'out.csv'}'",
        f"ATTACH '{tmp_path / 'x.db'}'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "SELECT * FROM glob('/etc/*')",
    ):
        with pytest.raises(Exception, match=r"(?i)permission|disabled|locked|cannot|not allowed"):
            products._cursor().execute(sql).fetchall()
    assert not (tmp_path / "out.csv").exists()


def test_a_dataset_removed_while_it_is_looked_at(home, tmp_path):
    archive = str(write_zip(tmp_path / "g.zip", glami_files()))
    import_dataset("glami", [archive], "g")
    before, unused = Products.open("g"), Products.open("g")
    lazy = before.query("SELECT count(*) FROM cohort")
    assert before.count() == 4
    catalog.remove("g")
    for ask in (before.rows, unused.count, before.item, unused.categories, before.frame):
        with pytest.raises(UnknownDatasetError, match="It may have been removed"):
            ask("SELECT 1 FROM cohort") if ask == before.frame else ask(
                *(["1"] if ask == before.item else [])
            )
    del lazy
    import_dataset("glami", [str(write_zip(tmp_path / "h.zip", glami_files(train=2)))], "g")
    with pytest.raises(UnknownDatasetError):  # never a mixture of the old and the new
        before.rows()
    assert Products.open("g").count() == 3


def test_an_older_vitrines_dataset_says_what_to_do(home, tmp_path):
    import_dataset("glami", [str(write_zip(tmp_path / "g.zip", glami_files()))], "g")
    (home / "g" / "search.arrow").unlink()
    with pytest.raises(StorageError, match=r"vitrine remove g"):
        Products.open("g")


def test_a_query_leaves_no_thread_that_holds_its_cursor(products):
    before = threading.active_count()
    for _ in range(50):
        products.frame("SELECT count(*) FROM cohort")
        assert threading.active_count() == before


def test_an_import_anew_within_the_same_second_is_another_dataset(home, tmp_path):
    made = set()
    for name in ("one", "two"):
        files = glami_files(5)
        import_dataset("glami", [str(write_zip(tmp_path / f"{name}.zip", files))], "shop")
        made.add(catalog.info("shop").created)
        catalog.remove("shop")
    assert len(made) == 2
