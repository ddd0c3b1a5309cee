from tests.likeness import products

__all__ = ["products"]
