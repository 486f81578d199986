"""The exchange's side of `test_stream`: two members whose words share addresses, by lines on standard input.

It begins with the keys of a reader; `say N` shares N more addresses, `withdraw N` takes the last N off again.
Each line is answered with the channel's number, `noted` with the one up to which the reader has read.
"""

import itertools
import json
import sys

import django

django.setup()

from django.core.management import call_command  # noqa: E402 (apps first)
from tests.exchange import a_member, key_text  # noqa: E402
from tests.sharing.street import Street  # noqa: E402

from tocsin.sharing import channels, services  # noqa: E402
from tocsin.sharing.models import Channel, Reading  # noqa: E402
from tocsin.sharing.words import Said  # noqa: E402


def main() -> None:
    """Serve the lines."""
    call_command("migrate", verbosity=0)
    street, counter, said = Street(), itertools.count(), list[str]()
    members = [street.member(name) for name in ("ferry", "medway")]
    key, stranger = key_text(a_member("reader"), ("lists:read",)), key_text(a_member("other"))
    trusted, channel = street.trusted(), channels.shared_channel(None, "green")
    print(json.dumps({"key": key, "without": stranger, "channel": str(channel.channel_id)}), flush=True)
    for line in sys.stdin:
        verb, _, count = line.strip().partition(" ")
        if verb == "noted":
            found = Reading.objects.filter(way="stream", what=channel.alias, member__name="reader")
            print(found.values_list("number", flat=True).first() or 0, flush=True)
            continue
        for _ in range(int(count)):
            if verb == "say":
                number = next(counter)
                said.append(f"80.94.{number >> 8}.{number & 255}")
                for member in members:
                    services.assert_said(member, [Said("address", said[-1], f"r{number}")])
            else:
                services.withdraw(street.indicator(said.pop()), trusted, "a test")
        print(Channel.objects.get(pk=channel.pk).number, flush=True)


if __name__ == "__main__":
    main()
