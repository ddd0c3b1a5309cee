from tests.likeness import clip_folder, products
from tests.toy import evaluated, toy_home, trained

__all__ = ["clip_folder", "evaluated", "products", "toy_home", "trained"]
