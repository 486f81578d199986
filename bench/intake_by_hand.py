"""The reference: the shortest code that stores reports with a journal in the same tables' shape.

It copies the exchange's tables with all their indexes and fills the copies straight through the driver.
"""

import datetime as dt
import json
from typing import Any

import msgspec
from django.db import connection, transaction

from tocsin.journal import keys
from tocsin.kernel.hashing import commitment, new_salt
from tocsin.kernel.ids import new_id
from tocsin.kernel.time import parse_rfc3339
from tocsin.proof import merkle, signing
from tocsin.wire import report as wire

TABLES = ("intake_report", "intake_reportholding", "journal_entry", "journal_tile", "journal_signedhead")
REPORT = (
    "report_id, member_id, attack_id, kind, origin, target, service, severity, lane, count, first_seen_at, "
    "last_seen_at, received_at, updated_at, version, status, content, salt, entry_seq, id"
)
ENTRY = "seq, at, event, subject, commitment, leaf"


class ByHand:
    """A store beside the exchange's own, in the same database."""

    def __init__(self, member: int) -> None:
        self.member, self.size, self.frontier = member, 0, []
        self.postgres = connection.vendor == "postgresql"
        self.decoder, self.encoder = msgspec.json.Decoder(wire.Report), msgspec.json.Encoder(order="sorted")
        with connection.cursor() as cursor:
            for table in TABLES:
                self.copy_table(cursor, table)
            cursor.execute("CREATE TABLE hand_head (size bigint, frontier text)")
            cursor.execute("INSERT INTO hand_head VALUES (0, '')")

    def copy_table(self, cursor: Any, table: str) -> None:
        """The same columns, indexes and references under another name."""
        if self.postgres:
            cursor.execute(f"CREATE TABLE hand_{table} (LIKE {table} INCLUDING ALL)")
            cursor.execute(
                "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
                " WHERE conrelid = %s::regclass AND contype = 'f'",
                [table],
            )
            for (reference,) in cursor.fetchall():
                cursor.execute(f"ALTER TABLE hand_{table} ADD {reference}")
            return
        cursor.execute("SELECT sql FROM sqlite_master WHERE tbl_name = %s AND sql IS NOT NULL", [table])
        for number, (statement,) in enumerate(cursor.fetchall()):
            if statement.startswith("CREATE TRIGGER"):
                continue
            statement = statement.replace(f'"{table}"', f'"hand_{table}"')
            if "INDEX" in statement:
                name = statement.split('"')[1]
                statement = statement.replace(f'"{name}"', f'"hand_{number}_{name}"', 1)
            cursor.execute(statement)

    def submit(self, batch: list[bytes]) -> None:
        """One batch, one transaction."""
        reports = [self.decoder.decode(raw) for raw in batch]
        contents = [self.encoder.encode(report) for report in reports]
        salts = [new_salt() for _ in reports]
        with transaction.atomic(), connection.cursor() as cursor:
            ids = [report.attack_id for report in reports]
            if self.postgres:
                cursor.execute(
                    "SELECT id FROM hand_intake_report WHERE member_id = %s AND attack_id = ANY(%s)",
                    [self.member, ids],
                )
            else:
                cursor.execute(
                    "SELECT id FROM hand_intake_report WHERE member_id = %s"
                    " AND attack_id IN (SELECT value FROM json_each(%s))",
                    [self.member, json.dumps(ids)],
                )
            assert not cursor.fetchall()
            cursor.execute("SELECT size FROM hand_head" + (" FOR UPDATE" if self.postgres else ""))
            self.write(cursor, reports, contents, salts, dt.datetime.now(dt.UTC))

    def write(self, cursor: Any, reports: Any, contents: Any, salts: Any, now: dt.datetime) -> None:
        """Entries, reports, joins, tiles, head."""
        entries, rows, held, tiles = [], [], [], []
        for report, content, salt in zip(reports, contents, salts, strict=True):
            at = (now + dt.timedelta(microseconds=len(rows))).isoformat(sep=" ")[:-6]
            seq, report_id, committed = self.size, new_id("report"), commitment(salt, content)
            entry = wire.Entry(seq, at, "intake:report:received", report_id, committed.hex())
            leaf = merkle.leaf_hash(self.encoder.encode(entry))
            completed = merkle.append(seq, self.frontier, leaf)
            self.size += 1
            if len(completed) > 8:
                tiles.append((1, seq >> 8, completed[8]))
            entries.append((seq, at, entry.event, report_id, committed, leaf))
            first, last = (
                str(parse_rfc3339(text))[:-6] for text in (report.first_seen_at, report.last_seen_at)
            )
            head = (
                report_id,
                self.member,
                report.attack_id,
                report.kind,
                report.origins[0],
                report.targets[0],
            )
            body = (
                report.service,
                report.severity,
                report.lane,
                report.count,
                first,
                last,
                at,
                at,
                1,
                "X-ACK",
            )
            rows.append((*head, *body, content, salt, seq, seq + 1))
            held.append((seq + 1, seq + 1, 1))
        self.insert(cursor, "hand_journal_entry", ENTRY, entries)
        self.insert(cursor, "hand_intake_report", REPORT, rows)
        self.insert(cursor, "hand_intake_reportholding", "id, report_id, holding_id", held)
        self.insert(cursor, "hand_journal_tile", 'level, "index", root', tiles)
        root = merkle.root_of(self.frontier)
        cursor.execute("UPDATE hand_head SET size = %s, frontier = %s", [self.size, root.hex()])
        signed = signing.sign_head(
            keys.private_key(), origin="x", tree_size=self.size, root=root, at=now.isoformat()
        )
        named = "tree_size, root, at, key_id, signature, origin"
        stamp = now.isoformat(sep=" ")[:-6]
        row = (self.size, root, stamp, signed.key_id, bytes.fromhex(signed.signature), "x")
        self.insert(cursor, "hand_journal_signedhead", named, [row])

    def insert(self, cursor: Any, table: str, columns: str, rows: list[Any]) -> None:
        """COPY or executemany."""
        if self.postgres:
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        elif rows:
            marks = ", ".join("?" * len(rows[0]))
            cursor.cursor.connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)
