"""One measurement in a process, a home and a database of its own, on either engine."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent


def run_engine(
    bench: str, engine: str, stored: int, measured: int, *, durable: bool, more: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The row that `python -m BENCH --inside …` prints last; `durable` leaves PostgreSQL's fsync on."""
    inside = [sys.executable, "-m", bench, "--inside", "--stored", str(stored)]
    inside += ["--measured", str(measured), "--engine", engine, *more]
    if engine == "postgresql":
        inside = [sys.executable, "tools/with_postgres.py", *(["--durable"] if durable else []), *inside]
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as home:
        environment = {**os.environ, "TOCSIN_HOME": home, "DJANGO_SETTINGS_MODULE": "tocsin.site.settings"}
        environment["TOCSIN_SECOND_FACTOR"] = "none"  # who is measured signs in by password
        if engine == "sqlite":
            environment.pop("DATABASE_URL", None)
        done = subprocess.run(inside, env=environment, cwd=ROOT, check=True, capture_output=True, text=True)
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return row
