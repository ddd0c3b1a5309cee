"""Nearest neighbours, search by words, and queries of several parts."""
