"""Map the columns of a table to ours by name, ignoring case, spaces and underscores."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from core.errors import SourceError, UsageError
from core.schema import FROM_SOURCE
from core.sources.reading import ReadOptions

MAPPABLE = tuple(name for name in FROM_SOURCE if name not in ("category_path", "extra"))
# Aliases of our columns, normalised by `plain_name`. The first one present is used; --map takes precedence.
SYNONYMS = {
    "item_id": (
        "itemid", "id", "productid", "sku", "asin", "parentasin", "uniqid", "articleid", "key", "itemno", "articleno",
        "productcode", "itemcode",
    ),
    "image": (
        "image", "imagepath", "imgpath", "imageurl", "imgurl", "imagelink", "imagefile", "imagefilename", "imagename",
        "picture", "pictureurl", "picturepath", "photo", "photourl", "img", "filename", "filepath", "images",
        "imageurls", "imagesrc", "imgurls", "imagepaths", "pictures", "photos", "imageurlhighres", "mainimage",
        "mainimageurl", "productimage", "productimageurl", "imgsrc", "imgfile", "imgname", "path", "obrazek", "bild",
        "foto", "imagen", "immagine", "zdjecie", "imagem", "图片",
    ),
    "name": (
        "name", "title", "productname", "producttitle", "itemname", "productdisplayname", "prodname", "itemtitle",
        "caption", "nazev", "nazov", "nazwa", "titel", "titre", "titulo", "nombre", "nome", "nom", "bezeichnung",
        "produktname", "nev", "denumire", "название", "名称",
    ),
    "description": (
        "description", "text", "caption", "productdescription", "desc", "body", "bodyhtml", "itemdescription",
        "detaildesc", "longdescription", "txt", "popis", "opis", "beschreibung", "descripcion", "descrizione", "descricao",
        "leiras", "descriere", "описание", "描述",
    ),
    "category": (
        "category", "categorypath", "label", "class", "categoryname", "classname", "labelname",
        "productcategory", "categories", "producttype", "labels", "articletype", "target", "maincategory",
        "categorylabel", "cls", "producttypename", "productcategorytree", "categorytree",
        "kategorie", "kategoria", "kategori", "categorie", "categoria", "kategorija", "категория", "类别", "分类",
    ),
    "language": ("language", "lang"),
    "geo": ("geo", "country"),
}  # fmt: skip
ONLY_WITH_PICTURES = ("path",)  # ambiguous names
# If the first has only numbers, the second is the category and the first its id.
NUMBERED = (
    ("category", "categoryname"), ("label", "labelname"), ("class", "classname"), ("label", "classname"),
    ("label", "category"), ("class", "category"), ("target", "category"), ("target", "label"),
)  # fmt: skip
_PICTURE = re.compile(r"\.(?:jpe?g|jfif|png|webp|gif|bmp|tiff?|avif|heic|heif)(?:[?#].*)?$", re.IGNORECASE)
_LIKE_OURS = re.compile(r"image|img|picture|photo|foto|thumb|categor|kategor|label|class")


def plain_name(name: str) -> str:
    """
    >>> plain_name("Image URL"), plain_name("product_name"), plain_name("Název")
    ('imageurl', 'productname', 'nazev')
    """
    bare = "".join(
        letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter)
    )
    return re.sub(r"[\W_]+", "", bare).casefold()


def looks_like_picture(value: object) -> bool:
    """Whether a value ends like the path or URL of a picture."""
    return isinstance(value, str) and len(value) < 4_096 and _PICTURE.search(value.strip()) is not None


def choose_columns(
    names: Sequence[str],
    options: ReadOptions,
    place: str,
    pictures: Sequence[str] = (),
    numbers: Sequence[str] = (),
) -> dict[str, str]:
    """Choose the table's column for each of ours: {ours: theirs}.

    Args:
        pictures: columns whose values look like pictures, used if no column is named like one.
        numbers: columns that contain only whole numbers.
        options: `columns` overrides the choice; an empty value means that there is no such column.

    Raises:
        UsageError: a mapped column is not in the table.
        SourceError: there is neither a name nor a picture column.
    """
    by_plain: dict[str, str] = {}
    for name in names:
        if key := plain_name(name):
            by_plain.setdefault(key, name)
    taken = set(options.columns.values())
    chosen: dict[str, str] = {}
    for ours in MAPPABLE:
        if ours in options.columns:
            theirs = options.columns[ours]
            if not theirs:  # mapped to nothing
                continue
            if theirs not in names:
                raise UsageError(
                    f"--map {ours}={theirs}: {place} has no such column. It has: {', '.join(names)}."
                )
            chosen[ours] = theirs
            continue
        for synonym in SYNONYMS.get(ours, (plain_name(ours),)):
            theirs = by_plain.get(synonym, "")
            if ours == "image" and synonym in ONLY_WITH_PICTURES and theirs not in pictures:
                continue
            if theirs and theirs not in taken:
                chosen[ours] = theirs
                taken.add(theirs)
                break
    if "image" not in chosen and "image" not in options.columns:
        captioned = {"caption", "text"} & set(by_plain)  # img2dataset and LAION have url and caption
        url = [by_plain["url"]] if "url" in by_plain and captioned else []
        for theirs in [*url, *pictures]:
            if theirs not in taken:
                chosen["image"] = theirs
                break
    _name_classes(chosen, by_plain, options, numbers)
    if not {"name", "image", "description"} & set(chosen):
        raise SourceError(
            f"{place} has no column for a name or a picture (it has: {', '.join(names)}). "
            "Map them, for example: --map name=title --map image=photo"
            + (
                ". If the delimiter is wrong, give it: --delimiter"
                if len(names) == 1 and re.search(r"[^\w\s]", names[0])
                else ""
            )
        )
    return chosen


def _name_classes(
    chosen: dict[str, str], by_plain: Mapping[str, str], options: ReadOptions, numbers: Sequence[str]
) -> None:
    """Prefer the names of classes to their numbers if a table has both."""
    if {"category", "category_id"} & set(options.columns) or chosen.get("category") not in numbers:
        return
    number = chosen["category"]
    for numbered, named in NUMBERED:
        theirs = by_plain.get(named)
        if plain_name(number) == numbered and theirs and theirs not in (*numbers, *chosen.values()):
            chosen["category"] = theirs
            chosen.setdefault("category_id", number)
            return


def overlooked(names: Sequence[str], chosen: dict[str, str], pictures: Sequence[str] = ()) -> list[str]:
    """Unused columns that look like a picture or a label."""
    used = set(chosen.values())
    return [
        name
        for name in names
        if name not in used and (name in pictures or _LIKE_OURS.search(plain_name(name)))
    ]
