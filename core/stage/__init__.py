"""Vitrine on a stage: tours of links, the wall, visitors' questions one after another, a locked room, checks before a demo."""
