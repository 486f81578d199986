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
        links: dict[str, Any] = {"items": self._items(), "landmarkLabel": "Pages"}
        if self.number > 1:
            links["previous"] = {"href": self._href(self.number - 1)}
        if self.number < self.pages:
            links["next"] = {"href": self._href(self.number + 1)}
        return {"pages": self.pages, "number": self.number, "links": links}

    def _items(self) -> list[dict[str, Any]]:
        near = {1, self.pages, self.number - 1, self.number, self.number + 1}
        items: list[dict[str, Any]] = []
        last = 0
        for number in sorted(n for n in near if 1 <= n <= self.pages):
            if number - last > 1:
                items.append({"ellipsis": True})
            items.append({"number": number, "href": self._href(number), "current": number == self.number})
            last = number
        return items

    def _href(self, number: int) -> str:
        return f"{self.address}&page={number}"
