"""The mail server of an exchange, from one address such as `smtp://user:password@mail.example:587`."""

from typing import TypedDict
from urllib.parse import unquote, urlsplit

PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25}


class MailSettings(TypedDict, total=False):
    """What Django's settings need; empty where no server is named."""

    host: str
    port: int
    user: str
    password: str
    starttls: bool
    tls: bool


def mail_settings(url: str) -> MailSettings:
    """The parts of the address; nothing for "". Raises ValueError for one that names no server."""
    if not url:
        return {}
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname:
        raise ValueError("TOCSIN_SMTP must be like smtp://user:password@host:587")
    return {
        "host": parts.hostname,
        "port": parts.port or PORTS[parts.scheme],
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "starttls": parts.scheme == "smtp",
        "tls": parts.scheme == "smtps",
    }
