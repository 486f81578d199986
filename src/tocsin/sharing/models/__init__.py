"""What members say, what stands, what left the exchange, and who has taken it."""

from tocsin.sharing.models.appeals import Appeal
from tocsin.sharing.models.channels import Channel, ListHead, Outgoing
from tocsin.sharing.models.hidden import Epoch, Opening
from tocsin.sharing.models.indicators import Approval, Assertion, Indicator, Standing
from tocsin.sharing.models.readings import Reading, Removal
from tocsin.sharing.models.records import SourceRecord
from tocsin.sharing.models.sightings import Sighting
from tocsin.sharing.models.statuses import Status

__all__ = [
    "Appeal",
    "Approval",
    "Assertion",
    "Channel",
    "Epoch",
    "Indicator",
    "ListHead",
    "Opening",
    "Outgoing",
    "Reading",
    "Removal",
    "Sighting",
    "SourceRecord",
    "Standing",
    "Status",
]
