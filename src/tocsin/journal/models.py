"""The append-only record of every act that creates or discharges a duty."""

from django.db import models


class Entry(models.Model):
    """One act. Its canonical bytes (`wire.report.Entry`) are a leaf of the Merkle tree; rows never change."""

    seq = models.BigIntegerField(primary_key=True, help_text="counts from 0, without gaps")
    at = models.DateTimeField(help_text="strictly increasing, microseconds")
    event = models.CharField(max_length=60, help_text="source:subject:action")
    subject = models.CharField(max_length=40, help_text="the id of what the act was about")
    commitment = models.BinaryField(max_length=32)
    leaf = models.BinaryField(max_length=32, help_text="RFC 6962 leaf hash")

    class Meta:
        indexes = [models.Index(fields=["subject", "seq"])]


class Content(models.Model):
    """What an entry committed to: erasable, and then the commitment says nothing.

    Reports keep their own content and salt (`intake.Report`), so their entries have no row here.
    """

    entry = models.OneToOneField(Entry, primary_key=True, on_delete=models.DO_NOTHING, db_constraint=False)
    salt = models.BinaryField(max_length=32)
    content = models.BinaryField(help_text="canonical JSON")


class Tile(models.Model):
    """The root of 256**level consecutive leaves, kept so that a proof never rehashes the whole tree."""

    level = models.SmallIntegerField()
    index = models.BigIntegerField()
    root = models.BinaryField(max_length=32)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["level", "index"], name="journal_tile_once")]


class Head(models.Model):
    """The single row that orders writers: locked last, updated, committed."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    size = models.BigIntegerField(default=0)
    frontier = models.BinaryField(default=b"", help_text="32-byte roots, largest subtree first")
    last_at = models.DateTimeField(null=True)


class SignedHead(models.Model):
    """A tree head signed with the batch that made it."""

    tree_size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField(max_length=32)
    at = models.DateTimeField()
    key_id = models.CharField(max_length=16)
    signature = models.BinaryField(max_length=64)
    origin = models.CharField(max_length=200)
