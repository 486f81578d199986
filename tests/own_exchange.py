"""An exchange of its own for tests with several processes: a home, and a database on either engine."""

import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tests.template import lay

ROOT = Path(__file__).parent.parent
COMMAND = "import sys; from tocsin.doors.admin import commands; getattr(commands, sys.argv.pop(1))()"


@dataclass
class OwnExchange:
    """Where it lives, and how to run its commands."""

    environment: dict[str, str]

    def command(self, *words: str) -> list[str]:
        """A server command as a process would run it."""
        return [sys.executable, "-c", COMMAND, *words]

    def run(self, *words: str) -> str:
        """Run a server command to its end; gives what it printed."""
        done = subprocess.run(
            self.command(*words), env=self.environment, check=True, capture_output=True, text=True, timeout=60
        )
        return done.stdout

    def start(self, *argv: str, **more: object) -> "subprocess.Popen[bytes]":
        """Start a process beside this one, in a process group of its own."""
        return subprocess.Popen(argv, env=self.environment, cwd=ROOT, start_new_session=True, **more)  # type: ignore[call-overload, no-any-return]


@contextmanager
def own_exchange() -> Iterator[OwnExchange]:
    """On PostgreSQL where DATABASE_URL names one, in a database dropped afterwards; else on SQLite."""
    url = os.environ.get("DATABASE_URL", "")
    with tempfile.TemporaryDirectory(prefix="tocsin-own-") as home:
        environment = {**os.environ, "TOCSIN_HOME": home, "DJANGO_SETTINGS_MODULE": "tocsin.site.settings"}
        environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        if not url.startswith("postgres"):
            environment.pop("DATABASE_URL", None)
            lay(Path(home))
            yield OwnExchange(environment)
            return
        name = f"own_{secrets.token_hex(6)}"
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(f"CREATE DATABASE {name}")
            try:
                environment["DATABASE_URL"] = urlsplit(url)._replace(path=f"/{name}").geturl()
                yield OwnExchange(environment)
            finally:
                server.execute(f"DROP DATABASE {name} WITH (FORCE)")
