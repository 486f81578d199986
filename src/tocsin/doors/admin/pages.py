"""A person at the pages, for the demo: signs in and presses buttons over real HTTP, without a browser."""

import html
import re

import httpx

from tocsin.kernel.problems import Problem


class Visitor:
    """Somebody with a cookie jar."""

    def __init__(self, address: str) -> None:
        self.http = httpx.Client(base_url=address, follow_redirects=True, timeout=30)

    def sign_in(self, email: str, password: str) -> "Visitor":
        """Sign in by the form."""
        self.open("/sign-in")
        self.press("/sign-in", email=email, password=password)
        return self

    def open(self, path: str) -> str:
        """The page at `path`. Raises Problem where it is not a good one."""
        return self._read(self.http.get(path))

    def press(self, path: str, **fields: str | list[str]) -> str:
        """Send a form; the page that follows."""
        token = self.http.cookies.get("csrftoken") or ""
        data = {**fields, "csrfmiddlewaretoken": token}
        return self._read(self.http.post(path, data=data, headers={"Referer": str(self.http.base_url)}))

    def links(self, path: str, pattern: str) -> list[str]:
        """The addresses on a page that match a pattern, in order, each once."""
        found = re.findall(r'href="([^"]+)"', self.open(path))
        return list(dict.fromkeys(html.unescape(link) for link in found if re.fullmatch(pattern, link)))

    def field(self, text: str, name: str) -> str:
        """The content of a textarea on a page."""
        found = re.search(rf'<textarea[^>]*name="{name}"[^>]*>(.*?)</textarea>', text, re.S)
        return html.unescape(found[1]).strip() if found else ""

    def _read(self, answer: httpx.Response) -> str:
        if answer.status_code >= 400:
            said = " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())[:300]
            raise Problem(f"{answer.request.method} {answer.url} answers {answer.status_code}: {said}")
        return answer.text
