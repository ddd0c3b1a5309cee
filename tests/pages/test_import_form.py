"""Home's form for an import shows what would be read before anything is."""

from __future__ import annotations

from pathlib import Path

from tests.pages.conftest import Open
from tests.shapes import picture, write_files

TABLE = "id;Produkt;foto;typ label\n1;Šaty;a.jpg;Dresses\n2;Džíny;;Jeans\n"


def test_a_table_is_seen_and_corrected_before_it_is_imported(
    home: Path, tmp_path: Path, open_page: Open
) -> None:
    write_files(tmp_path, {"t.csv": TABLE.encode("cp1250"), "a.jpg": picture()})
    page = open_page("home.py")
    page.button_group(key="import-layout").set_value("table").run()
    page.text_input(key="import-path").set_value(str(tmp_path / "t.csv")).run()
    assert not page.exception and not page.error
    shown = page.dataframe[0].value
    assert shown["picture"][0].startswith("data:image/webp") and "name" not in shown
    assert any("1 of these rows would be rejected" in warning.value for warning in page.warning)
    boxes = {box.label: box for box in page.selectbox}
    assert boxes["Encoding"].proto.placeholder == "found: cp1250"
    assert boxes["Delimiter"].proto.placeholder == "found: semicolon"
    assert boxes["Picture"].value == "foto" and boxes["Category"].value == "–"
    assert any("typ label" in warning.value for warning in page.warning)
    boxes["Product name"].set_value("Produkt").run()
    {box.label: box for box in page.selectbox}["Category"].set_value("typ label").run()
    shown = page.dataframe[0].value
    assert list(shown["name"]) == ["Šaty", "Džíny"] and list(shown["category_path"]) == ["Dresses", "Jeans"]
    assert not any("would be rejected" in warning.value for warning in page.warning)
    page.text_input(key="import-name").set_value("shop").run()
    page.button(key="import-start").click().run()
    assert not page.exception and not page.error
    page.run()
    assert any(header.value == "shop" for header in page.subheader)


def test_an_encoding_that_will_not_do_is_said_and_can_be_changed(
    home: Path, tmp_path: Path, open_page: Open
) -> None:
    write_files(tmp_path, {"t.csv": TABLE.encode("cp1250")})
    page = open_page("home.py")
    page.button_group(key="import-layout").set_value("table").run()
    page.text_input(key="import-path").set_value(str(tmp_path / "t.csv")).run()
    assert not page.error
    {box.label: box for box in page.selectbox}["Delimiter"].set_value("|").run()
    assert page.error and {"Encoding", "Delimiter"} <= {box.label for box in page.selectbox}
    assert not (home / "t").exists()
