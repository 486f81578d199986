"""Mails that no reader knows, kept at the desk: for a person to read, and to be sifted again later."""

import hashlib
import os
from pathlib import Path

from tocsin.kernel.problems import BadInput


class Unrecognised:
    """A folder of such mails, one file each, named by its digest, readable by its owner alone."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def keep(self, mail: bytes) -> None:
        """Keep one mail; nothing is kept twice, and nothing at all without a folder. Raises BadInput."""
        if self._folder is None:
            return
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._folder / f"{hashlib.sha256(mail).hexdigest()}.eml"
            if not path.exists():
                partial = path.with_suffix(f".{os.getpid()}.part")
                with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                    file.write(mail)
                partial.replace(path)
        except OSError as error:
            reason = (error.strerror or "it cannot be written").lower()
            raise BadInput(f"a mail cannot be kept in {self._folder}: {reason}") from error
