from tests.databases import postgres

__all__ = ["postgres"]
