"""The page that a customer meets in the walled garden: what happened, what to do, who helps. No script."""

from dataclasses import dataclass
from html import escape

from tocsin.sift.policies import Policy, checked

STYLE = """
:root { color-scheme: light dark; }
body { margin: 0; font: 1.125rem/1.5 system-ui, sans-serif; background: #fff; color: #16191d; }
main { max-width: 38rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { font-size: 2rem; line-height: 1.2; }
h2 { font-size: 1.375rem; margin-top: 2rem; }
a { color: #0b4f9e; }
a:focus-visible { outline: 3px solid currentColor; outline-offset: 2px; }
footer { margin-top: 3rem; border-top: 1px solid #6b7280; padding-top: 1rem; }
@media (prefers-color-scheme: dark) { body { background: #16191d; color: #f3f4f6; } a { color: #9ecbff; } }
"""


@dataclass(frozen=True)
class Words:
    """What a page says of a class: what such a site does, and what to do, as headings with their HTML."""

    what: str
    advice: tuple[tuple[str, str], ...]


_LINK = (
    "If you followed a link",
    """<p>Close this page. Whoever sent you the link may not be who they say. If a bank or an authority wants
something from you, reach it by an address or number that you already know.</p>""",
)
_GIVEN = (
    "If you gave away something there before",
    """<ul>
<li>A password: change it, everywhere you use it.</li>
<li>Card or bank details: call your bank at once, by the number on your card.</li>
<li>You lost money: tell your bank first, then report it to the police.</li>
</ul>""",
)
_PROGRAM = (
    "If you did not open anything",
    """<p>Then a program on one of your devices may have done so. Update your devices, and have them looked
over.</p>""",
)
_LOADED = (
    "If you downloaded something there before",
    """<ul>
<li>Do not open it. If you did, take the device off the network and have it looked over.</li>
<li>Afterwards, on another device, change the passwords that you used on this one.</li>
<li>If your files cannot be opened any more, pay nobody; ask for help first.</li>
</ul>""",
)
_INFECTED = (
    "What to do",
    """<ul>
<li>You probably opened nothing: a program that runs on one of your devices asked for this address.</li>
<li>Think of computers and telephones, and of cameras, routers and television sets.</li>
<li>Update them, run a full scan, and reset what cannot be scanned to how it came.</li>
<li>Until then do no banking on them. Afterwards change your passwords, on a device that is clean.</li>
</ul>""",
)

GENERAL = Words(
    "Such websites pretend to be a bank, a shop or an authority, spread harmful programs, or control them.",
    (_LINK, _GIVEN, _PROGRAM),
)
# By class, or by the whole of one (RSIT); what has no line reads as GENERAL.
WORDS: dict[str, Words] = {
    "fraud/phishing": Words(
        "It pretends to be somebody whom you trust, such as a bank, a shop or an authority, to get "
        "passwords, card numbers or money.",
        (_LINK, _GIVEN),
    ),
    "fraud": Words("It is used to deceive people, and to get money from them.", (_LINK, _GIVEN)),
    "malicious-code/c2-server": Words(
        "From there criminals control harmful programs on other people's devices. Hardly anybody opens it by "
        "hand: one of your devices is probably infected.",
        (_INFECTED,),
    ),
    "malicious-code": Words(
        "It spreads harmful programs, which spy on you, lock your files, or attack others from your device.",
        (_LINK, _LOADED, _PROGRAM),
    ),
}


def page(provider: str, help_at: str, exchange: str, kind: str = "") -> str:
    """The page as HTML, for a garden of one class or (empty) of all. Raises BadInput for an unknown class.

    `help_at` is a telephone number, an e-mail address or a link of the provider's.
    """
    if kind:
        checked(Policy(classes={kind: "nxdomain"}))
    words = WORDS.get(kind) or WORDS.get(kind.partition("/")[0]) or GENERAL
    appeal = escape(f"{exchange}/blocked", quote=True)
    advice = "\n".join(f"<h2>{title}</h2>\n{html}\n" for title, html in words.advice)
    return f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>This address was blocked to protect you</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>This address was blocked to protect you</h1>
<p>You, or a program on one of your devices, tried to open a website that was reported as dangerous.
{words.what}
{escape(provider)} did not connect you. Nothing was sent there now.</p>

{advice}
<h2>Help</h2>
<p>{escape(provider)} helps you: {_way(help_at)}.</p>

<h2>If this is your website, or the block is wrong</h2>
<p>You can <a href="{appeal}">object to the block</a>. You need no account. A person answers, or
the block ends.</p>
<footer><p>Other providers learn at most how often an address was blocked, never who asked.</p></footer>
</main>
</body>
</html>
"""


def _way(help_at: str) -> str:
    text = escape(help_at, quote=True)
    if help_at.startswith(("https://", "http://")):
        return f'<a href="{text}">{text}</a>'
    if "@" in help_at:
        return f'<a href="mailto:{text}">{text}</a>'
    return f'<a href="tel:{escape("".join(c for c in help_at if c in "+0123456789"), quote=True)}">{text}</a>'
