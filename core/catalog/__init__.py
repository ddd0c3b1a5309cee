"""The datasets there are: building them, their columns, filters and product tables."""
