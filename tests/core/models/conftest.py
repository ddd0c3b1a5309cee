from tests.toy import evaluated, toy_home, trained

__all__ = ["evaluated", "toy_home", "trained"]
