"""Access logs: every server's lines in one form, what hides written out, and ordinary visitors left alone."""

from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from tests.sift.logs import sift_text

from tocsin.sift.access import transcribe
from tocsin.sift.shapes import ALL_NAMES

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0"
GOOGLE = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
AT = "[07/Jan/2026:03:04:05 +0100]"
ASKED = '"GET /a?b=c HTTP/1.1" 404 1'
BY = '"-" "curl/8"'

# A request for /a?b=c that was answered with 404, as each server writes it.
FORMS = {
    "Common Log Format": f"192.0.2.7 - - {AT} {ASKED}",
    "combined": f"192.0.2.7 - bob {AT} {ASKED} {BY}",
    "with the host": f"www.example.org:443 192.0.2.7 - - {AT} {ASKED} {BY}",
    "BunkerWeb": f"www.example.org 192.0.2.7 - 95386da8 - {AT} {ASKED} {BY}",
    "behind a proxy": f"192.0.2.7, 10.0.0.1 - - {AT} {ASKED} {BY}",
    "one digit of a day": f"192.0.2.7 - - [7/Jan/2026:03:04:05 +0100] {ASKED}",
    "Traefik": f'192.0.2.7 - - {AT} {ASKED} {BY} 500 "x@docker" "http://10.0.0.3:80" 0ms',
    "HAProxy": "192.0.2.7:14853 [07/Jan/2026:03:04:05.127] in~ b/s1 170/0/0/3/173 404 739 - - --NN "
    '0/0/0/0/0 0/0 "GET /a?b=c HTTP/1.1"',
    "Nginx Proxy Manager": f'{AT} - 404 404 - GET http www.example.org "/a?b=c" [Client 192.0.2.7] '
    '[Length 1] [Gzip 3.10] [Sent-to x] "curl/8" "-"',
    "NPMplus": f'{AT} www.example.org 192.0.2.7 0.227 "GET /a?b=c HTTP/2.0" 404 125 440 - curl/8',
    "IIS": "2026-01-07 02:04:05 198.51.100.1 GET /a b=c 443 - 192.0.2.7 curl/8 - 404 0 2 15",
    "IIS, more fields": "2026-01-07 02:04:05 W3SVC1 WEB01 198.51.100.1 GET /a b=c 80 - 192.0.2.7 HTTP/1.1 "
    "curl/8 - - www.example.org 404 0 0 365 39 78",
    "CloudFront": "2026-01-07\t02:04:05\tCDG50-P2\t703\t192.0.2.7\tGET\td.example.net\t/a\t404\t-\tcurl/8"
    "\tb=c\t-\tError\tx",
    "load balancer": "https 2026-01-07T02:04:05.186641Z app/lb/50dc 192.0.2.7:2817 10.0.0.1:80 0.086 0.048 "
    '0.037 404 404 0 57 "GET https://www.example.org:443/a?b=c HTTP/1.1" "curl/8" - -',
    "Zoraxy": "[2026-01-07 03:04:05.417736] [router:root] [origin:10.0.0.1] [client: 192.0.2.7] "
    "[useragent: curl/8] GET /a?b=c 404",
}


@pytest.mark.parametrize("line", FORMS.values(), ids=FORMS.keys())
def test_every_server_says_the_same(line: str) -> None:
    """Client, status, method and target in one order, whoever wrote the line."""
    (row,) = transcribe(pl.Series([line])).to_dicts()
    assert row["message"].startswith("192.0.2.7 404 get /a?b=c")
    assert (row["minute"], row["second"]) == ("04", "05")
    assert ALL_NAMES[row["shape"]].startswith("access log, ")


@pytest.mark.parametrize("line", FORMS.values(), ids=FORMS.keys())
def test_every_server_is_sifted(tmp_path: Path, line: str) -> None:
    """The same hostile request is the same attack, in a file of its own and carried by syslog."""
    hostile = (
        line.replace("/a?b=c", "/.env?b=c").replace("/a b=c", "/.env b=c").replace("\t/a\t", "\t/.env\t")
    )
    carried = f"Jan  7 03:04:05 www1 daemon[12]: {hostile}"
    for text in (hostile, carried):
        sifted = sift_text(tmp_path, text + "\n", name="access.log", tz="Europe/Paris", year=2026)
        (attack,) = sifted.attacks
        assert (attack.origins, attack.kind) == (("192.0.2.7",), "information-gathering/scanner")
        assert attack.first_seen_at == "2026-01-07T02:04:05Z"
        assert sifted.balance.rejected == 0


@pytest.mark.parametrize(
    "written",
    [
        "/..%2f..%2fetc/passwd",
        "/%2e%2e/%2E%2E/etc/passwd",
        "/%252e%252e%252f%252e%252e%252fetc/passwd",
        "/.%2e/%2e./etc/passwd",
        "/..%5c..%5cetc\\\\passwd",
        "/\\x2e\\x2e/../etc/passwd",
        "/%c0%ae%c0%ae/../etc/passwd",
    ],
)
def test_what_hides_is_written_out(written: str) -> None:
    """However a client writes two dots and a slash, rules see two dots and a slash."""
    line = f'192.0.2.7 - - [07/Jan/2026:03:04:05 +0100] "GET {written} HTTP/1.1" 404 1'
    message = str(transcribe(pl.Series([line]))["message"][0]).replace("\\", "/").replace("//", "/")
    assert message.startswith("192.0.2.7 404 get /../../etc/passwd http/1.1")


def test_a_line_end_hides_nothing() -> None:
    """A pattern's dot matches what stands for a line end, so `%0a` does not cut a request in two."""
    line = '192.0.2.7 - - [07/Jan/2026:03:04:05 +0100] "GET /a%0Ab%00c HTTP/1.1" 404 1'
    assert transcribe(pl.Series([line]))["message"][0].startswith("192.0.2.7 404 get /a␊b␀c http/1.1")


def test_nobody_is_blamed_by_what_a_client_writes(tmp_path: Path) -> None:
    """Path, referrer, user agent and account may look like a line of a log: the client stands before them."""
    fake = f"198.51.100.9 - - {AT} \\x22GET /.env HTTP/1.1\\x22 404 1"
    lines = [
        f'192.0.2.7 - - {AT} "GET /.env?{fake.replace(" ", "+")} HTTP/1.1" 404 1 "-" "-"',
        f'192.0.2.7 - - {AT} "GET /.env HTTP/1.1" 404 1 "{fake}" "{fake}"',
        f'192.0.2.7 - {fake} {AT} "GET /.env HTTP/1.1" 404 1 "-" "-"',
    ]
    sifted = sift_text(tmp_path, "\n".join(lines) + "\n", name="access.log")
    assert {origin for attack in sifted.attacks for origin in attack.origins} == {"192.0.2.7"}


def visit(client: str, request: str, status: int, agent: str, minute: int = 4) -> str:
    """A line of an ordinary access log."""
    at = f"[07/Jan/2026:03:{minute:02}:05 +0000]"
    return f'{client} - - {at} "{request} HTTP/1.1" {status} 512 "-" "{agent}"\n'


VISITED = """
200 GET /
404 GET /favicon.ico
404 GET /apple-touch-icon-precomposed.png
200 GET /static/site.css?v=1719232322
304 GET /static/app.js?1719232322
200 GET /search?q=rock+and+roll
200 GET /search?q=o%27brien
404 GET /a/photo.jpg
404 GET /old-page
302 POST /wp-login.php
200 GET /wp-admin/
200 GET /account/login
302 POST /login
200 GET /oauth/callback?redirect_uri=https%3A%2F%2Fwww.example.org%2Fa&code=1
200 GET /wiki/C%2B%2B
200 GET /price?from=1&to=5
200 GET /blog/select-committee-and-union
200 GET /download/tool.tar.gz
400 POST /api/items
200 GET /articles?order=by+date
200 GET /wp-content/uploads/2024/photo.jpg
200 GET /manual/php/eval.php
200 GET /search?q=how+to+select+a+book+from+the+shelf
200 GET /search?q=%3C3
404 POST /index.php/login/v2/poll
200 GET /files?return=list%2F2
401 GET /ews/exchange.asmx
200 POST /administrator/index.php?option=com_ajax
200 GET /maps?at=%2851.5%2C-0.1%29
"""
# What WordPress, Nextcloud, Exchange, GitLab, Jellyfin, package mirrors and others are asked every day.
APPLICATIONS = """
200 POST /wp-admin/admin-ajax.php
200 GET /wp-admin/load-scripts.php?c=0&load%5Bchunk_0%5D=jquery-core,jquery-migrate,utils&ver=6.4
200 POST /wp-cron.php?doing_wp_cron=1704596645.1234
200 GET /wp-json/wp/v2/posts?per_page=10&_fields=id,title
200 GET /wp-json/wp/v2/users/me?context=edit
200 GET /wp-includes/js/jquery/jquery.min.js?ver=3.7.1
404 GET /wp-content/uploads/2019/05/missing.png
200 GET /wp-login.php?action=lostpassword
302 GET /wp-login.php?redirect_to=https%3A%2F%2Fwww.example.org%2Fwp-admin%2F&reauth=1
200 PROPFIND /remote.php/dav/calendars/bob/personal/
404 GET /remote.php/dav/files/bob/Missing.md
401 PROPFIND /remote.php/dav/files/bob/
200 GET /ocs/v2.php/apps/notifications/api/v2/notifications?format=json
200 GET /index.php/apps/files/api/v1/thumbnail/256/256/a.jpg
404 POST /index.php/login/v2/poll
200 GET /status.php
200 POST /EWS/Exchange.asmx
200 POST /ecp/DDI/DDIService.svc/GetList?schema=x
200 GET /owa/auth/logon.aspx?url=https%3a%2f%2fmail.example.org%2fowa%2f&reason=0
302 POST /owa/auth.owa
200 GET /ecp/15.1/scripts/common.js
200 GET /users/sign_in
302 POST /users/sign_in
200 GET /group/project/-/blob/main/etc/passwd.md
200 GET /group/project/-/raw/main/docker-compose.yml
200 GET /group/project/-/blob/main/.env.example
200 GET /group/project.git/info/refs?service=git-upload-pack
401 GET /group/project.git/info/refs?service=git-upload-pack
200 POST /group/project.git/git-upload-pack
200 GET /api/v4/projects?search=select&order_by=id&sort=desc
200 GET /Items/77c40737e58d0f8d03c5047ee17c4185/Images/Primary?maxWidth=400&tag=abc&quality=90
404 GET /Items/77c40737e58d0f8d03c5047ee17c4185/Images/Logo
204 POST /Sessions/Playing/Progress
200 GET /api/websocket
200 GET /lovelace/default_view?kiosk
200 GET /debian/pool/main/c/curl/curl_8.5.0-2_amd64.deb
404 GET /debian/dists/bookworm/main/i18n/Translation-en_GB.xz
404 GET /ubuntu/dists/jammy/InRelease.gz
200 GET /pypi/simple/requests/
404 GET /maven2/org/x/1.0/x-1.0.pom.sha1
200 GET /search?q=%22union+station%22+select+hotels
200 GET /search?q=drop+table+lamp
200 GET /search?q=o%27neill+or+o%27brien
200 GET /search?q=price+%3C+100+and+rating+%3E+4
200 GET /questions/12345/how-to-escape-in-javascript-alert
200 GET /docs/php/function.base64-decode.php
200 GET /wiki/index.php?title=Main_Page&action=edit
200 GET /w/load.php?lang=en&modules=startup&only=scripts&raw=1
200 GET /forum/viewtopic.php?f=2&t=37
200 GET /forum/ucp.php?mode=login
200 GET /cart?add=1,2,3&ids%5B%5D=4
200 GET /product/chr(39)-poster
200 GET /?fbclid=IwAR0abc123&utm_source=facebook
200 GET /?gclid=12345678901234567890
200 GET /?1704596645
200 GET /redirect?url=https%3A%2F%2Fwww.example.com%2Fpage.php%3Fid%3D3
200 GET /proxy/image?src=https://cdn.example.net/pic.jpg
200 GET /oembed?url=https://www.example.org/post/1&format=json
200 GET /login?next=/admin/
200 GET /admin/login/?next=/admin/
302 POST /admin/login/?next=/admin/
200 GET /static/admin/css/base.css
200 GET /grafana/api/dashboards/home
200 GET /grafana/public/plugins/grafana-piechart-panel/module.js
200 GET /jenkins/job/x/lastBuild/api/json
200 GET /jenkins/script
200 GET /solr/core/select?q=*:*&rows=10
200 GET /kibana/app/kibana
200 GET /actuator/health
200 GET /server-status?auto
200 GET /nginx_status
200 GET /metrics
404 GET /.well-known/apple-app-site-association
404 GET /.well-known/openid-configuration
404 GET /.well-known/change-password
404 GET /.well-known/traffic-advice
404 GET /favicon.png
404 GET /sitemap_index.xml
404 GET /site.webmanifest
404 GET /feed
404 GET /en/about-us
404 GET /manager
404 GET /assets/old.map
404 GET /js/app.js.map
404 GET /fonts/x.woff2
404 GET /download/manual.pdf
404 GET /download/release.zip
416 GET /video.mp4
499 GET /slow
502 GET /api/data
503 GET /
429 GET /api/items
400 POST /api/v1/items
422 POST /api/v1/items
401 GET /api/v1/me
403 POST /api/v1/admin/users
200 OPTIONS /api/v1/items
400 GET /%ff
200 GET /caf%C3%A9
200 GET /math?expr=%24%7Bx%7D%2B1
200 GET /tpl?name=%7B%7Buser%7D%7D
200 GET /cgi-bin/mailman/listinfo
200 GET /cgi-bin/cgit.cgi/repo/
200 GET /phpmyadmin/index.php?route=/sql
200 GET /roundcube/?_task=mail&_mbox=INBOX
200 POST /roundcube/?_task=login
200 GET /zm/index.php?view=console
200 GET /rest/api/2/search?jql=project%20%3D%20X%20and%20status%20%3D%20Open
200 GET /rest/tinymce/1/macro/preview
200 GET /plugins/servlet/gadgets/ifr?container=atlassian
200 GET /connect/token
400 POST /connect/token
200 POST /oauth2/token
"""
ORDINARY = {
    "a visitor": [
        visit("192.0.2.10", line[4:], int(line[:3]), CHROME) for line in VISITED.strip().splitlines()
    ],
    "applications": [
        visit("192.0.2.10", line[4:], int(line[:3]), CHROME) for line in APPLICATIONS.strip().splitlines()
    ],
    "a search engine": [
        visit("66.249.66.1", f"GET {path}", status, GOOGLE)
        for path, status in [("/robots.txt", 404), ("/", 200), ("/old.php", 404), ("/old2.php?id=7", 404)]
        for _ in range(20)
    ],
    "monitoring": [
        visit("192.0.2.11", "GET /health", 200, agent, minute)
        for agent in ("Uptime-Kuma/1.23.11", "curl/8.5.0", "check_http/v2.3 (monitoring-plugins 2.3)")
        for minute in range(60)
    ],
    "a feed reader": [visit("192.0.2.12", "GET /feed.xml", 304, "Feed Fetcher", m) for m in range(60)],
    "certificates": [visit("192.0.2.13", "GET /.well-known/acme-challenge/x", 404, "Go-http-client/1.1")],
    "calendars": [visit("192.0.2.14", "PROPFIND /remote.php/dav/files/bob/", 207, "mirall/3.17")],
}  # fmt: skip


@pytest.mark.parametrize("lines", ORDINARY.values(), ids=ORDINARY.keys())
def test_ordinary_browsing_is_noise(tmp_path: Path, lines: list[str]) -> None:
    """Nobody who merely visits a site is evidence of anything."""
    observed: list[object] = []
    sifted = sift_text(tmp_path, "".join(lines), name="access.log", observations=observed.extend)
    assert observed == []
    assert sifted.attacks == []
    assert sifted.balance.noise == len(lines)


def test_one_slip_is_info_and_one_exploit_is_low(tmp_path: Path) -> None:
    """A mistyped password says little; what has a CVE number says enough at once."""
    text = visit("192.0.2.20", "POST /wp-login.php", 200, CHROME) + visit(
        "192.0.2.21", "POST /vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php", 404, CHROME
    )
    severities = {a.origins[0]: a.severity for a in sift_text(tmp_path, text, name="access.log").attacks}
    assert severities == {"192.0.2.20": "info", "192.0.2.21": "low"}


def test_no_request_leaves_in_an_attack(tmp_path: Path) -> None:
    """Neither path nor query, account or user agent: an attack says who, what kind, where and when."""
    line = visit("192.0.2.21", "GET /secretpath/.env?token=hunter2", 404, "AgentSmith").replace(
        " - - ", " - alice "
    )
    (attack,) = sift_text(tmp_path, line, name="access.log").attacks
    told = str({field: getattr(attack, field) for field in attack.__struct_fields__ if field != "evidence"})
    assert not Counter(word for word in ("secretpath", "hunter2", "AgentSmith", "alice") if word in told)
