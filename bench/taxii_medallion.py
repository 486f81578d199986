"""Run inside medallion's own environment: fill its memory backend, page through it, print the figure.

Needs nothing of Tocsin. Usage: python taxii_medallion.py STORED
"""

import base64
import json
import sys
import tempfile
import time
import uuid
from typing import Any

COLLECTION = "91a7b528-80eb-42ed-a74d-c6fbd5a26116"
MEDIA = "application/taxii+json;version=2.1"


def data(stored: int) -> dict[str, Any]:
    """What medallion loads: one API root with one collection of indicators."""
    objects, manifest = [], []
    for number in range(stored):
        at = f"2026-01-01T{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}.000Z"
        name = f"indicator--{uuid.UUID(int=number, version=4)}"
        objects.append(
            {
                "type": "indicator",
                "spec_version": "2.1",
                "id": name,
                "created": at,
                "modified": at,
                "pattern": f"[ipv4-addr:value = '80.94.{number >> 8 & 255}.{number & 255}']",
                "pattern_type": "stix",
                "valid_from": at,
            }
        )
        media = "application/stix+json;version=2.1"
        manifest.append({"id": name, "date_added": at, "version": at, "media_type": media})
    collection = {
        "id": COLLECTION,
        "title": "Indicators",
        "can_read": True,
        "can_write": False,
        "media_types": ["application/stix+json;version=2.1"],
        "objects": objects,
        "manifest": manifest,
    }
    information = {"title": "Bench", "versions": [MEDIA], "max_content_length": 10_000_000}
    root = {"information": information, "status": [], "collections": [collection]}
    discovery = {
        "title": "Bench",
        "default": "http://localhost/bench/",
        "api_roots": ["http://localhost/bench/"],
    }
    return {"/discovery": discovery, "bench": root}


def main() -> None:
    """Ask for everything, a thousand a page."""
    import medallion

    stored = int(sys.argv[1])
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(data(stored), file)
        file.flush()
        backend = {"module": "medallion.backends.memory_backend", "module_class": "MemoryBackend"}
        configuration = {
            "users": {"bench": "bench"},
            "taxii": {"max_page_size": 1_000},
            "backend": {**backend, "filename": file.name},
        }
        application = medallion.application_instance
        for part in configuration:
            medallion.set_config(application, part, configuration)
    medallion.register_blueprints(application)
    client = application.test_client()
    word = base64.b64encode(b"bench:bench").decode()
    headers = {"Accept": MEDIA, "Authorization": f"Basic {word}"}
    address = f"/bench/collections/{COLLECTION}/objects/"
    count, query, wall = 0, {"limit": "1000"}, time.perf_counter()
    while True:
        document = json.loads(client.get(address, headers=headers, query_string=query).data)
        count += len(document.get("objects", []))
        if not document.get("more"):
            break
        query = {"limit": "1000", "next": document["next"]}
    rate = count / (time.perf_counter() - wall)
    print(json.dumps({"objects": count, "objects_per_second_by_1000": round(rate)}), flush=True)


if __name__ == "__main__":
    main()
    sys.exit(0)
