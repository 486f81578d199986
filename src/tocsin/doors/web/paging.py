"""A page of a list: which rows, and the links to the others."""

from typing import Any

from django.http import HttpRequest

SIZE = 50


class Paging:
    """Pages of 50; the number comes from `?page=`, and an impossible one means the nearest possible."""

    def __init__(self, request: HttpRequest, total: int, address: str) -> None:
        asked = request.GET.get("page", "1")
        self.total = total
        self.pages = max(1, -(-total // SIZE))
        self.number = min(max(1, int(asked) if asked.isdecimal() and len(asked) < 8 else 1), self.pages)
        self.first, self.last = (self.number - 1) * SIZE, self.number * SIZE
        self.address = address

    def context(self) -> dict[str, Any]:
        """What the list's template needs: the numbers, and the pagination component's links."""
        links = pages_of(
            self.number, self.pages, self.address.replace("{", "{{").replace("}", "}}") + "&page={}"
        )
        return {"pages": self.pages, "number": self.number, "links": links}


def pages_of(number: int, pages: int, address: str, label: str = "Pages") -> dict[str, Any]:
    """The pagination component's links; `address` has `{}` where a page's number goes."""
    near = {1, pages, number - 1, number, number + 1}
    items: list[dict[str, Any]] = []
    last = 0
    for one in sorted(n for n in near if 1 <= n <= pages):
        if one - last > 1:
            items.append({"ellipsis": True})
        items.append({"number": one, "href": address.format(one), "current": one == number})
        last = one
    links: dict[str, Any] = {"items": items, "landmarkLabel": label}
    if number > 1:
        links["previous"] = {"href": address.format(number - 1)}
    if number < pages:
        links["next"] = {"href": address.format(number + 1)}
    return links
