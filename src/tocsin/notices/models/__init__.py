"""What members and people have been told, by which channel, and what they wish to be told."""

from tocsin.notices.models.hooks import Delivery, Endpoint
from tocsin.notices.models.mails import Address, Item, Mail, Wish
from tocsin.notices.models.told import Notice

__all__ = ["Address", "Delivery", "Endpoint", "Item", "Mail", "Notice", "Wish"]
