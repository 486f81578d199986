"""Django's database settings from a URL."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tocsin.kernel.problems import BadInput


def database_settings(url: str, sqlite_file: Path) -> dict[str, Any]:
    """Settings for `postgresql://…`, `sqlite:///path`, or, where `url` is empty, for `sqlite_file`.

    SQLite runs in WAL with IMMEDIATE transactions and `synchronous=FULL`, because a receipt is a promise.
    """
    parts = urlsplit(url)
    if not url or parts.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": parts.path or str(sqlite_file),
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 30,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536; "
                "PRAGMA wal_autocheckpoint=8000;",  # 32 MB: bulk intake touches the same pages again
            },
        }
    if parts.scheme in {"postgres", "postgresql"}:
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": unquote(parts.hostname or "") or dict(parse_qsl(parts.query)).get("host", ""),
            "PORT": str(parts.port or ""),
            # Compiling a query takes longer than running any of ours.
            "OPTIONS": {"options": "-c jit=off"},
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
        }
    raise BadInput(
        f"DATABASE_URL names no database that Tocsin knows: {parts.scheme}://…",
        hint="use postgresql://user:password@host/name, or leave it unset for SQLite",
    )
