"""How well the public samples are answered: the judge behind docs/coverage.md."""
