"""Feeds: what others saw of our networks, row by row."""
