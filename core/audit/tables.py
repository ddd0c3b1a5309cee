"""The tables of audits, beside the log of answers in the same database."""

from __future__ import annotations

from dataclasses import fields

import sqlalchemy as sa

from core.audit.records import Item

METADATA = sa.MetaData()
PLANS = sa.Table(
    "plans", METADATA,
    sa.Column("plan", sa.Text, primary_key=True),
    sa.Column("dataset", sa.Text, nullable=False),
    sa.Column("document", sa.Text, nullable=False),  # JSON, see Plan.document
    sa.Column("created", sa.Text, nullable=False),
    sa.Column("closed", sa.Text),
    sa.Column("closed_by", sa.Text),
)  # fmt: skip
TYPES = {"int": sa.BigInteger, "float": sa.Float, "bool": sa.Boolean, "str": sa.Text}
ITEMS = sa.Table(
    "plan_items", METADATA,
    sa.Column("plan", sa.Text, primary_key=True),
    sa.Column("item", sa.BigInteger, primary_key=True, autoincrement=False),
    *(
        sa.Column(entry.name, TYPES[str(entry.type).partition(" ")[0]], nullable="None" in str(entry.type))
        for entry in fields(Item)
        if entry.name != "item"
    ),
)  # fmt: skip
ANNOTATOR = sa.Table(
    "annotators", METADATA,
    sa.Column("plan", sa.Text, primary_key=True),
    sa.Column("who", sa.Text, primary_key=True),
    sa.Column("joined", sa.Text, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
)  # fmt: skip
ASSIGNED = sa.Table(
    "assignments", METADATA,
    sa.Column("plan", sa.Text, primary_key=True),
    sa.Column("who", sa.Text, primary_key=True),
    sa.Column("item", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("place", sa.BigInteger, nullable=False),  # in this annotator's own random order
    sa.Index("assignments_in_order", "plan", "who", "place"),
)  # fmt: skip
ITEM_NAMES = [entry.name for entry in fields(Item)]
