"""The built-in dataset: products drawn and described by Vitrine."""
