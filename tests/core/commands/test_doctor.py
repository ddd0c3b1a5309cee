import json
from pathlib import Path

from core.catalog.products import Products
from core.commands import doctor
from core.embeddings.clip import encoder
from core.embeddings.embed import embed
from core.embeddings.store import folder_of


def test_vectors_that_would_fail_on_stage_are_named(products: Products, clip_folder: Path) -> None:
    ok, text = doctor._vectors()
    assert ok and "vitrine embed" in text

    made = embed("shop", encoder(str(clip_folder)), workers=1, device="cpu")
    ok, text = doctor._vectors()
    assert ok and text.startswith("shop/")

    path = folder_of(products.info, made.name) / "encoder.json"
    described = json.loads(path.read_text())
    path.write_text(json.dumps(described | {"weights": "0" * 12}))
    ok, text = doctor._vectors()
    assert not ok and "other weights" in text

    path.write_text(json.dumps(described | {"fingerprint": "0" * 16}))
    ok, text = doctor._vectors()
    assert not ok and "an earlier version of" in text
