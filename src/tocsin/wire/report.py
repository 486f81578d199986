"""What the edge tool sends to an exchange and what it gets back, value by value.

These structs are the contract between the two ends; `docs/wire.md` explains each field. Instants are
RFC 3339 strings in UTC, hashes lower-case hex.
"""

from typing import Literal

import msgspec

Severity = Literal["info", "low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("info", "low", "medium", "high", "critical")
Lane = Literal["ordinary", "restricted"]


class Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where the lines behind an attack are; the lines themselves stay at the provider.

    `source_id` names the log without its path; `lines` counts the matching lines; `sha256` is the digest of
    those lines' bytes, joined by newlines in order, so that a later copy can be checked against the report.
    """

    source_id: str
    lines: int
    sha256: str


class Holding(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a provider holds about an attack: an entry of the log inventory, never personal data.

    `log_type` is one of `reference/log_inventory_fields.csv`; `clock_error_ms` bounds the error of the
    record's clock, None where nobody measured it; `delete_at` is when the log will be destroyed;
    `confirmed` says that a person at the provider has confirmed retention and clock for this source.
    """

    source_id: str
    log_type: str
    period_from: str
    period_to: str
    delete_at: str | None = None
    clock_error_ms: int | None = None
    clock_source: str = "unknown"
    time_zone: str = "UTC"
    fields_present: tuple[str, ...] = ()
    confirmed: bool = False


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One attack as a member tells it: a cumulative version, of which the exchange keeps the highest count.

    `origins` and `targets` are addresses, names or keyed tokens (`token:…`) of the member's own customers.
    `assumed` records what the evidence did not say and how it was settled, as field to reason.
    `names` are the host names that a fraud or malware report is about, exactly as they were reported.
    `lane` `restricted` is for child-abuse material: metadata only, to hotline and police alone.
    `spoofable` says that the origin could be forged: it is never offered for blocking. A flood has a
    `vector`; its `origins` are a sample of `origin_count`, `fingerprint` is what others can match, and
    `measures` are its sums and peaks.
    """

    attack_id: str
    kind: str
    origins: tuple[str, ...]
    targets: tuple[str, ...]
    service: str
    first_seen_at: str
    last_seen_at: str
    count: int
    severity: Severity
    evidence: tuple[Evidence, ...] = ()
    holdings: tuple[Holding, ...] = ()
    assumed: dict[str, str] = {}
    lane: Lane = "ordinary"
    names: tuple[str, ...] = ()
    spoofable: bool = False
    vector: str = ""
    fingerprint: str = ""
    origin_count: int = 0
    measures: dict[str, int] = {}


class Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Up to 1,000 reports in one request."""

    reports: list[msgspec.Raw]


class TreeHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signed statement of the journal's size and root (after RFC 6962 section 3.5).

    The signature is Ed25519 (RFC 8032) over the canonical bytes of all other fields; `key_id` is the first
    16 hex digits of the SHA-256 of the raw public key; `origin` names the exchange.
    """

    origin: str
    tree_size: int
    root: str
    at: str
    key_id: str
    signature: str


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One journal entry; its canonical bytes are the leaf of the Merkle tree.

    `seq` counts from 0; `event` is `source:subject:action`; `commitment` is SHA-256(salt, canonical content).
    """

    seq: int
    at: str
    event: str
    subject: str
    commitment: str


class Receipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Proof that a report stands in the journal: complete by itself, checked offline by `tocsin verify`.

    `content` is the report exactly as received, `salt` opens the entry's commitment, `path` is the RFC 6962
    audit path from the entry to `head.root`.
    """

    schema: Literal["tocsin-receipt/1"]
    report_id: str
    attack_id: str
    content: msgspec.Raw
    salt: str
    entry: Entry
    path: tuple[str, ...]
    head: TreeHead


class Refusal(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why one report of a batch was not taken; `position` counts from 0 in the batch."""

    position: int
    slug: str
    title: str
    detail: str


class Accepted(msgspec.Struct, frozen=True):
    """The answer to a batch: a receipt for each report taken (in order), a refusal for each that was not.

    `state` per receipt is `new`, `updated` (a higher version) or `known` (nothing changed).
    """

    receipts: list[Receipt]
    states: list[Literal["new", "updated", "known"]]
    refusals: list[Refusal]
