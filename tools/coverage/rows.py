"""What judges give: rows of the coverage table, each with the cases that were answered wrong."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Failure:
    """One sample that was answered wrong: what was expected, what was found, and some of its lines."""

    case: str
    expected: str
    found: str
    lines: tuple[str, ...] = ()


@dataclass
class Row:
    """One service of one source: how many of its samples were answered right.

    `false_positives` are samples that must give nothing and gave something. `peers` holds, by a peer's name,
    how many it answers right of the same samples.
    """

    source: str
    service: str
    right: int = 0
    total: int = 0
    false_positives: int = 0
    note: str = ""
    peers: dict[str, str] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)

    def judge(self, passed: bool, failure: Failure) -> None:
        """Count one sample; `failure` tells of it where it did not pass."""
        self.total += 1
        self.right += passed
        if not passed:
            self.failures.append(failure)


class Table(dict[tuple[str, str], Row]):
    """Rows by source and service, made when they are first asked for, in order."""

    def row(self, source: str, service: str) -> Row:
        """The row of a service."""
        return self.setdefault((source, service), Row(source, service))
