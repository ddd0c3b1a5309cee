from tests.likeness import clip_folder, products

__all__ = ["clip_folder", "products"]
