"""The certificate of a TLS door: read again when its file changes, and what may be wrong with it, in words.

RFC 5425 section 5 is followed: the door shows a certificate, and where an authority for senders is named they
must show one, too; `names` says which (section 5.2), by name or by fingerprint (section 4.2.2).
"""

import datetime as dt
import hashlib
import re
import ssl
import time
from collections.abc import Iterable
from pathlib import Path

from tocsin.kernel.problems import BadInput
from tocsin.kernel.time import now
from tocsin.sift.live.settings import Syslog

LOOK_AGAIN = 1.0  # seconds between looks at the files
SOON = 14  # days before its end that a certificate is spoken of
FINGERPRINT = re.compile(r"sha-?256:((?:[0-9a-f]{2}:?){32})")


class Certificates:
    """The TLS context of a door as its files are now; where they are broken, as they were.

    Raises BadInput when they cannot be used at the start. `fault` says what is wrong since.
    """

    def __init__(self, told: Syslog) -> None:
        self._told = told
        self._seen = _stamps(told)
        self.context = context_of(told)
        self._ends_at = ends_at(told.certificate)
        self._broken = ""
        self._looked_at = time.monotonic()

    @property
    def fault(self) -> str:
        """What is wrong with the files, or nothing."""
        ended = f"the certificate ended on {self._ends_at:%Y-%m-%d}" if self._ends_at <= now() else ""
        return self._broken or ended

    def look(self) -> None:
        """Use the files anew where they changed."""
        if time.monotonic() - self._looked_at < LOOK_AGAIN:
            return
        self._looked_at = time.monotonic()
        stamps = _stamps(self._told)
        if stamps == self._seen:
            return
        try:
            self.context, self._ends_at = context_of(self._told), ends_at(self._told.certificate)
            self._broken = ""
        except BadInput as problem:  # half of it is written, most often: what was read before serves on
            self._broken = f"the new certificate cannot be used: {problem.detail}"
        self._seen = stamps


def context_of(told: Syslog) -> ssl.SSLContext:
    """What serves with these files: TLS 1.2 or newer. Raises BadInput that says which file is wrong."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.num_tickets = 0  # a sender that never reads them would reset the connection when it closes
    for path in filter(None, (told.certificate, told.key, told.clients)):
        _read(path)
    ends_at(told.certificate)
    try:
        context.load_cert_chain(told.certificate, told.key, password=_no_password)
    except ssl.SSLError as error:
        fits = "it does not fit the certificate" if "MISMATCH" in (error.reason or "") else "it holds no key"
        raise BadInput(f"{told.key}: {fits}") from error
    if told.clients:
        ends_at(told.clients)
        context.load_verify_locations(told.clients)
        context.verify_mode = ssl.CERT_REQUIRED
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # a sender's own certificate may stand there
    return context


def ends_at(path: str) -> dt.datetime:
    """When the first certificate in a file ends. Raises BadInput where there is none."""
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificates(_read(path))[0].not_valid_after_utc
    except ValueError as error:
        raise BadInput(f"{path}: it holds no certificate (PEM)") from error


def advice(told: Syslog) -> tuple[str, str]:
    """How long the certificate is good, in words; and what to do, where that is not long any more."""
    days = (ends_at(told.certificate) - now()).days
    words = f"its certificate ends in {days} days" if days >= 0 else "its certificate has ended"
    return (
        words,
        "" if days >= SOON else f"renew {told.certificate}: a running watch takes the new one by itself",
    )


def refusal(certificate: bytes | None, names: Iterable[str]) -> str:
    """Why the sender with this certificate (DER) is not among `names`; nothing where it is, or none are."""
    wanted = [name.lower() for name in names]
    if not wanted:
        return ""
    shown = names_of(certificate or b"")
    if any(_is(one, shown) for one in wanted):
        return ""
    return f"a certificate of another name: {shown[-1][:100]}"


def names_of(certificate: bytes) -> list[str]:
    """What a sender's certificate (DER) is called: its fingerprint, then the names in it."""
    from cryptography import x509

    read = x509.load_der_x509_certificate(certificate)
    shown = ["sha256:" + hashlib.sha256(certificate).hexdigest()]
    try:
        told = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        shown += told.get_values_for_type(x509.DNSName)
        shown += map(str, told.get_values_for_type(x509.IPAddress))
    except (x509.ExtensionNotFound, ValueError):
        pass
    if len(shown) == 1:  # RFC 5425 section 5.2: the common name, where there is no other
        found = read.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        shown += [str(one.value) for one in found]
    return [name.lower() for name in shown]


def _is(wanted: str, shown: Iterable[str]) -> bool:
    if found := FINGERPRINT.fullmatch(wanted):
        wanted = "sha256:" + found[1].replace(":", "")
    return wanted in shown


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise BadInput(f"{path}: {(error.strerror or 'cannot be read').lower()}") from error


def _no_password() -> str:
    """Nobody is there to type one."""
    return ""


def _stamps(told: Syslog) -> tuple[tuple[int, int, int], ...]:
    """By what a change of the files is seen: which they are, how long, and when they were written."""
    found = []
    for path in filter(None, (told.certificate, told.key, told.clients)):
        try:
            status = Path(path).stat()
            found.append((status.st_ino, status.st_size, status.st_mtime_ns))
        except OSError:
            found.append((0, 0, 0))
    return tuple(found)
