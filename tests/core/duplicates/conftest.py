from tests.planted import make, planted

__all__ = ["make", "planted"]
