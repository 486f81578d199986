"""What one person keeps and sees, by REST: filters, a load; and a member's circles and machines."""

import pytest
from django.core.cache import cache
from tests.api.test_access import SAUL
from tests.api.test_units import OLIVE, V1, holder, member, opened, post
from tests.cases.town import Town, build_town

from tocsin.access.models import Community
from tocsin.cases.filters import filters_of, wish_of
from tocsin.cases.models import Case
from tocsin.kernel.time import now
from tocsin.sharing.models import Reading

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def town() -> Town:
    """Kent has joined; Ferry and Medway report."""
    cache.clear()
    return build_town()


def test_filters_are_kept_in_somebodys_name(town: Town) -> None:
    """They are the same that the page of the queue offers to that person, and nobody else's."""
    desk = holder(town)
    assert post(desk, "/filters", {"name": "mine", "owner": "me"}).status_code == 403
    wanted = {"name": "SSH, high", "severity": "high", "words": "ssh & co", "days": "3", "is_default": True}
    (kept,) = post(desk, "/filters", wanted, **OLIVE).json()["filters"]
    assert (kept["name"], kept["is_default"], kept["wish"]["words"]) == ("SSH, high", True, "ssh & co")
    (row,) = filters_of(town.people["olive"])
    assert wish_of(row.query).given() == {"words": "ssh & co", "severity": "high", "days": "3"}
    assert desk.get(f"{V1}/filters", headers=SAUL).json() == {"filters": []}
    assert post(desk, f"/filters/{kept['filter_id']}/forget", **SAUL).status_code == 404
    assert post(desk, f"/filters/{kept['filter_id']}/forget", **OLIVE).json() == {"filters": []}


@pytest.mark.parametrize(
    "body", [{"name": ""}, {"name": "x", "group": "late"}, {"name": "x", "colour": "red"}]
)
def test_a_filter_that_is_none_is_refused(town: Town, body: dict[str, str]) -> None:
    """And nothing is kept."""
    assert post(holder(town), "/filters", body, **OLIVE).status_code == 400
    assert filters_of(town.people["olive"]) == []


def test_a_supervisor_sees_the_load_and_gives_many_cases_to_somebody(town: Town) -> None:
    """By one act that can be taken back."""
    desk = holder(town)
    ids = [opened(town, origins=(f"192.0.2.{n}",), target=f"198.51.100.{n}").case_id for n in (1, 2)]
    assert desk.get(f"{V1}/team", headers=OLIVE).status_code == 403
    load = {one["name"]: one["open"] for one in desk.get(f"{V1}/team", headers=SAUL).json()["people"]}
    assert load == {"Nobody yet": 2, "Olive": 0, "Saul": 0}
    order = {"act": "reassign", "case_ids": ids, "owner": "olive@example.org"}
    assert post(desk, "/bulk", order, **OLIVE).status_code == 403
    assert post(desk, "/bulk", order | {"owner": "edna@example.org"}, **SAUL).status_code == 400
    done = post(desk, "/bulk", order, **SAUL).json()
    assert (sorted(done["done"]), done["refused"]) == (sorted(ids), [])
    shown = desk.get(f"{V1}/team", headers=SAUL, data={"who": f"p{town.people['olive'].pk}"}).json()
    assert (shown["whose"], shown["total"]) == ("Olive", 2)
    post(desk, f"/bulk/{done['bulk_id']}/undo", **SAUL)
    assert set(Case.objects.values_list("owner_name", flat=True)) == {""}


def test_a_members_machine_makes_a_circle_and_lets_others_in_and_out(town: Town) -> None:
    """What stands on the page Communities; who is outside learns of none."""
    ferry, medway = member(town), member(town, "medway")
    made = post(ferry, "/communities", {"name": "Kent ports", "tlp_ceiling": "green"})
    assert made.status_code == 200, made.content
    at, theirs = f"/communities/{made.json()['community_id']}", town.members["medway"].member_id
    assert medway.get(V1 + at).status_code == 404
    assert post(medway, f"{at}/in", {"member_id": theirs}).status_code == 404
    inside = post(ferry, f"{at}/in", {"member_id": theirs}).json()
    assert [row["name"] for row in inside["members"]] == ["Ferry", "Medway"]
    assert medway.get(f"{V1}/communities").json()["communities"][0]["name"] == "Kent ports"
    assert post(medway, f"{at}/close").status_code == 403, "who made it looks after it"
    assert post(medway, f"{at}/out", {"member_id": theirs}).json() == {"communities": []}
    assert post(ferry, f"{at}/close").json() == {"communities": []}
    assert Community.objects.get().closed_at is not None


def test_a_machine_that_is_gone_is_forgotten(town: Town) -> None:
    """By its member alone."""
    ferry = member(town)
    assert ferry.get(f"{V1}/lists/addresses.txt").status_code == 200
    Reading.objects.update(read_at=now())
    (row,) = [one for one in ferry.get(f"{V1}/readers").json()["readers"] if one["reading"]]
    path = f"{V1}/readers/{row['reading']}"
    assert member(town, "medway").delete(path).status_code == 404
    assert ferry.delete(path).status_code == 200
    assert not Reading.objects.exists()


def test_a_network_is_reviewed_by_one_word(town: Town) -> None:
    """Three pairs of one reason; all of them taken back by another."""
    desk = holder(town)
    for n in (1, 2, 3):
        opened(town, origins=(f"203.0.113.{n}",), target=f"198.51.100.{n}")
    pairs = [pair["suggestion_id"] for pair in desk.get(f"{V1}/suggestions").json()["pairs"]]
    word = {"suggestion_ids": pairs, "said": "yes"}
    joined = post(desk, "/suggestions/together", word, **OLIVE)
    assert (joined.status_code, joined.json()["report_count"]) == (200, 3), joined.content
    assert post(desk, "/suggestions/together", word, **OLIVE).status_code == 404
    parted = post(desk, "/suggestions/together/undo", {"suggestion_ids": pairs}, **OLIVE)
    assert (parted.status_code, parted.json()["report_count"]) == (200, 1)
    assert post(desk, "/suggestions/together", word | {"suggestion_ids": []}, **OLIVE).status_code == 404
    assert desk.get(f"{V1}/suggestions").json()["waiting"] == 3
