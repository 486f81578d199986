"""The simulated nation: a seeded model of providers, forces and attackers, and what it leaves behind.

`hits` is what lists stop of its traffic, `score` how well its attacks are found.
"""

from tocsin.nation.blocklogs import hits
from tocsin.nation.scoring import score

__all__ = ["hits", "score"]
