from tests.toy import toy_home, trained

__all__ = ["toy_home", "trained"]
