"""The server's commands, as `tocsin` finds them by entry point. Django is loaded when one of them runs."""

from tocsin.doors.admin.check import check
from tocsin.doors.admin.demo import demo
from tocsin.doors.admin.importing import import_cases
from tocsin.doors.admin.people import admin
from tocsin.doors.admin.serve import serve

__all__ = ["admin", "check", "demo", "serve"]

admin.add_command(import_cases)
