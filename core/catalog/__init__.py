"""Datasets on disk: import, columns, filters, product tables."""
