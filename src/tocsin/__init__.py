"""Tocsin: from a provider's logs to a named investigator, a protected network and a told victim."""

__version__ = "0.1.0"
