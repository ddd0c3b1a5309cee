from tests.databases import answers_database, postgres

__all__ = ["answers_database", "postgres"]
