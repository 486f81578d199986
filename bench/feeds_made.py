"""Feeds of our own making, for the benchmark and its peers: needs nothing of Tocsin."""

import random
from collections.abc import Iterator
from pathlib import Path

SINKHOLE = (
    "timestamp", "protocol", "src_ip", "src_port", "src_asn", "src_geo", "src_region", "src_city",
    "src_hostname", "src_naics", "src_sector", "device_vendor", "device_type", "device_model", "dst_ip",
    "dst_port", "dst_asn", "dst_geo", "dst_region", "dst_city", "dst_hostname", "dst_naics", "dst_sector",
    "public_source", "infection", "family", "tag", "application", "version", "event_id",
)  # fmt: skip
DNS = (
    "timestamp", "ip", "protocol", "port", "hostname", "tag", "dns_version", "asn", "geo", "region", "city",
    "min_amplification", "p0f_genre", "p0f_detail", "naics", "sic", "sector",
)  # fmt: skip


def rows(name: str, count: int, customers: int = 5_000, seed: int = 1) -> Iterator[str]:
    """The lines of a report of that name: a header, and rows of one day from so many customers."""
    chance = random.Random(seed)
    addresses = [f"80.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" for n in range(customers)]
    yield _line(SINKHOLE if name == "event4_sinkhole" else DNS)
    for number in range(count):
        at = f"2026-04-01 {number % 24:02}:{chance.randrange(60):02}:{chance.randrange(60):02}"
        address, port = addresses[chance.randrange(customers)], str(chance.randrange(1024, 65_536))
        family = chance.choice(("mirai", "necurs", "conficker"))
        host = f"host{number % 997}.customer.example"
        values = {
            "timestamp": at,
            "protocol": "tcp",
            "src_ip": address,
            "ip": address,
            "src_port": port,
            "port": "53",
            "src_asn": "64500",
            "asn": "64500",
            "src_geo": "GB",
            "geo": "GB",
            "src_region": "ENGLAND",
            "src_city": "LONDON",
            "src_hostname": host,
            "hostname": host,
            "src_naics": "517311",
            "dst_ip": "198.51.100.7",
            "dst_port": "80",
            "dst_asn": "64501",
            "dst_geo": "DE",
            "infection": family,
            "family": family,
            "tag": "openresolver" if name == "scan_dns" else family,
            "dns_version": "dnsmasq-2.80",
            "min_amplification": "4.6190",
            "event_id": str(number),
        }
        columns = SINKHOLE if name == "event4_sinkhole" else DNS
        yield _line(tuple(values.get(column, "") for column in columns))


def write(path: Path, name: str, count: int, customers: int = 5_000) -> Path:
    """Write such a report into a folder, named as its sender names it."""
    file = path / f"2026-04-01-{name}-isp-asn.csv"
    file.write_text("".join(rows(name, count, customers)))
    return file


def _line(values: tuple[str, ...]) -> str:
    return ",".join(f'"{value}"' if value else "" for value in values) + "\n"
