"""What members say, what stands, and what left the exchange."""

from tocsin.sharing.models.channels import Channel, ListHead, Outgoing
from tocsin.sharing.models.indicators import Approval, Assertion, Indicator, Standing
from tocsin.sharing.models.records import SourceRecord

__all__ = [
    "Approval",
    "Assertion",
    "Channel",
    "Indicator",
    "ListHead",
    "Outgoing",
    "SourceRecord",
    "Standing",
]
