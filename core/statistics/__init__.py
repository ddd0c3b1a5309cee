"""The statistics of a dataset: table in, table out.

A statistic is a function `(products, cohort, ...) -> Display`; DuckDB counts, SciPy and statsmodels test.
"""
