"""Country packs: units, outcomes, statuses, clocks, kinds and routes as data, each with its law."""

from tocsin.reference.loader import pack

__all__ = ["pack"]
