import os

from core.storage import being_built, keep_newest, new_folder


def test_only_living_imports_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("VITRINE_HOME", str(tmp_path))
    (tmp_path / ".building-killed-0123456789ab").mkdir()
    with new_folder("my-shop") as building:
        (building / "dataset.json").write_text("{}")
        assert being_built() == ["my-shop"]
    assert being_built() == []


def test_the_oldest_files_go(tmp_path):
    for age in range(5):
        path = tmp_path / f"{age}.webp"
        path.write_bytes(b"x")
        os.utime(path, (1_000 - age, 1_000 - age))
    keep_newest(tmp_path, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.webp", "1.webp"]
