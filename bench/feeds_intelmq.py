"""Run inside IntelMQ's own environment: its Shadowserver parser on a report of ours, in events a CPU-second.

Needs nothing of Tocsin. Usage: python feeds_intelmq.py FILE
"""

import json
import logging
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import feeds_made  # beside this script

# IntelMQ's names for the columns; whatever is not named goes into `extra`, as in its own schema.
NAMES = {
    "protocol": ("protocol.transport", None),
    "hostname": ("source.reverse_dns", None),
    "infection": ("malware.name", None),
    **{
        prefix + column: (f"{side}.{name}", convert)
        for prefix, side in (("", "source"), ("src_", "source"), ("dst_", "destination"))
        for column, name, convert in (
            ("ip", "ip", "validate_ip"),
            ("port", "port", "convert_int"),
            ("asn", "asn", "invalidate_zero"),
            ("geo", "geolocation.cc", None),
            ("region", "geolocation.region", None),
            ("city", "geolocation.city", None),
            ("hostname", "reverse_dns", None),
        )
    },
}
CLASSES = {
    "event4_sinkhole": ("malicious-code", "infected-system"),
    "scan_dns": ("vulnerable", "vulnerable-system"),
}


def schema() -> dict[str, Any]:
    """Two report types in IntelMQ's schema format, every column taken over."""
    return {
        name: {
            "feed_name": name,
            "file_name": name,
            "constant_fields": {
                "classification.taxonomy": CLASSES[name][0],
                "classification.type": CLASSES[name][1],
                "classification.identifier": "bench",
            },
            "required_fields": [["time.source", "timestamp", "add_UTC_to_timestamp"]],
            "optional_fields": [_field(column) for column in columns if column != "timestamp"],
        }
        for name, columns in (("event4_sinkhole", feeds_made.SINKHOLE), ("scan_dns", feeds_made.DNS))
    }


def _field(column: str) -> list[str]:
    name, convert = NAMES.get(column, ("extra.", "validate_to_none"))
    return [name, column, *([convert] if convert else [])]


def main() -> None:
    """Parse the report as the bot does, without its queues."""
    from intelmq.bots.parsers.shadowserver import _config
    from intelmq.bots.parsers.shadowserver.parser import ShadowserverParserBot
    from intelmq.lib.bot import BotLibSettings
    from intelmq.lib.message import Report

    logging.disable(logging.WARNING)
    _config.enable_test_mode(True)  # with a schema of ours, not the one that it would download
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(schema(), file)
        file.flush()
        vars(_config)["__config"].schema_active = file.name
        measure(ShadowserverParserBot("bench", settings=BotLibSettings), Report, Path(sys.argv[1]))


def measure(bot: Any, report_type: Any, path: Path) -> None:
    """Print how many events a CPU-second it makes of the report."""
    report = report_type(harmonization=bot.harmonization)
    report.add("feed.name", "bench")
    report.add("raw", path.read_text())
    report.add("extra.file_name", path.name)
    began = time.process_time()
    answer = bot.process_message(report)
    events = len([message.serialize() for message in answer["output"]])  # as it goes into its queue
    seconds = time.process_time() - began
    print(json.dumps({"rows": events, "rows_per_cpu_second": round(events / seconds)}), flush=True)


if __name__ == "__main__":
    main()
