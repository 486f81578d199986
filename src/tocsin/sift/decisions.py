"""What other tools' decisions mean: the names of fail2ban's jails and CrowdSec's scenarios, as data."""

import re
import tomllib
from functools import cache, lru_cache
from importlib import resources

UNDETERMINED = "other/undetermined"
UNKNOWN_SERVICE = "unknown"


@lru_cache(maxsize=4096)
def meaning(name: str) -> tuple[str, str]:
    """The kind (RSIT) and the service that a jail or scenario is about."""
    plain = name.rpartition("/")[2].lower().replace("_", "-")
    kinds, services = _tables()
    kind = next((kind for pattern, kind in kinds if pattern.search(plain)), UNDETERMINED)
    service = next((service for pattern, service in services if pattern.search(plain)), UNKNOWN_SERVICE)
    return kind, service


@cache
def _tables() -> tuple[list[tuple[re.Pattern[str], str]], list[tuple[re.Pattern[str], str]]]:
    told = tomllib.loads(resources.files("tocsin.sift").joinpath("decisions.toml").read_text())
    return (
        [(re.compile(row["pattern"]), row["kind"]) for row in told["kinds"]],
        [(re.compile(row["pattern"]), row["service"]) for row in told["services"]],
    )
