"""Write the REST interface's description to docs/openapi.json, where a test looks whether it is still true.

    python tools/openapi.py

Whoever changes a route sees in the difference what clients will see.
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

COPY = Path(__file__).parent.parent / "docs" / "openapi.json"


def spelled(document: dict[str, Any]) -> str:
    """The document as it is committed."""
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> int:
    """Make the document of the interface as it is."""
    os.environ.setdefault("TOCSIN_HOME", tempfile.mkdtemp(prefix="tocsin-openapi-"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tocsin.site.settings")
    import django

    django.setup()
    from tocsin.doors.api import describing
    from tocsin.doors.api.interface import api

    COPY.write_text(spelled(describing.document(api)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
