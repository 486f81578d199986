"""Mails and reports (ARF, XARF) as findings: one document is one piece of evidence."""

from tocsin.sift.regions import Known
from tocsin.sift.rejects import Rejects
from tocsin.sift.tally import Tally
from tocsin.sift.values import Balance, Observation


class Documents:
    def __init__(self, tally: Tally, known: Known, rejects: Rejects, balance: Balance) -> None:
        self.observations: list[Observation] = []

    def read(self, path, kind, content):
        return 0
