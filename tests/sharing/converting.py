"""MISP's converters in a process of their own: what they import warns, and this test run takes no warnings.

Usage: python -W ignore converting.py to-misp|to-stix, with JSON on standard input and output.
"""

import json
import sys


def main() -> None:
    """Convert one bundle into an event, or one event into objects."""
    import pymisp
    import stix2
    from misp_stix_converter import ExternalSTIX2toMISPParser, MISPtoSTIX21Parser

    given = json.load(sys.stdin)
    if sys.argv[1] == "to-misp":
        reader = ExternalSTIX2toMISPParser()
        reader.load_stix_bundle(stix2.parse(given, allow_custom=True))
        reader.parse_stix_bundle()
        assert not reader.errors, reader.errors
        made = json.loads(reader.misp_event.to_json())
        for told, one in zip(made["Attribute"], reader.misp_event.attributes, strict=True):
            told["timestamp"] = str(
                int(one.timestamp.timestamp())
            )  # PyMISP leaves out what is not stored yet
        sys.stdout.write(json.dumps(made))
        return
    event = pymisp.MISPEvent()
    event.load(given)
    writer = MISPtoSTIX21Parser()
    writer.parse_misp_event(event)
    sys.stdout.write(json.dumps([json.loads(one.serialize()) for one in writer.stix_objects]))


if __name__ == "__main__":
    main()
