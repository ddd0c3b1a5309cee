"""Tables as CSV for spreadsheets: no cell runs as a formula where the file is opened.

Excel, LibreOffice and Google Sheets compute a cell that begins with one of = + - @, a tab or a line end, also where it
came from a file; such a text gets an apostrophe before it, which they hide. Plain numbers stay as they are.

Source: OWASP, CSV Injection (https://owasp.org/www-community/attacks/CSV_Injection).
"""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pandas.api.types import is_numeric_dtype

FORMULA = r"^[=+\-@\t\r\n]"
NUMBER = r"^[+\-]?[0-9]+([.,][0-9]+)?$"


def harmless(table: pa.Table) -> pa.Table:
    """The same table with an apostrophe before every text that a spreadsheet would compute.

    >>> harmless(pa.table({"name": ["=1+1", "-12", "-12% off", None]}))["name"].to_pylist()
    ["'=1+1", '-12', "'-12% off", None]
    """
    for number, field in enumerate(table.schema):
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            column = table.column(number)
            runs = pc.and_not(
                pc.match_substring_regex(column, FORMULA), pc.match_substring_regex(column, NUMBER)
            )
            if pc.any(runs).as_py():
                quoted = pc.binary_join_element_wise(
                    pa.scalar("'", field.type), column, pa.scalar("", field.type)
                )
                table = table.set_column(number, field, pc.if_else(runs, quoted, column))
    return table


def frame_csv(table: pd.DataFrame) -> bytes:
    """A small table as UTF-8 CSV that begins with a byte order mark; its column names are made harmless, too."""
    safe = table.apply(lambda column: column if is_numeric_dtype(column) else column.map(_quoted))
    return safe.rename(columns=_quoted).to_csv(index=False).encode("utf-8-sig")


def _quoted(value: Any) -> Any:
    runs = isinstance(value, str) and re.match(FORMULA, value) and not re.match(NUMBER, value)
    return f"'{value}" if runs else value
