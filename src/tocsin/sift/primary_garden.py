"""The page that a customer meets in the walled garden: what happened, what to do, who helps. No script."""

from html import escape

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


def page(provider: str, help_at: str, exchange: str) -> str:
    """The page as HTML. `help_at` is a telephone number, an e-mail address or a link of the provider's."""
    appeal = escape(f"{exchange}/blocked", quote=True)
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
<p>You, or a program on one of your devices, tried to open a website that was reported as dangerous. Such
websites pretend to be a bank, a shop or an authority, spread harmful programs, or control them.
{escape(provider)} did not connect you. Nothing was sent there now.</p>

<h2>If you followed a link</h2>
<p>Close this page. Whoever sent you the link may not be who they say. If a bank or an authority wants
something from you, reach it by an address or number that you already know.</p>

<h2>If you gave away something there before</h2>
<ul>
<li>A password: change it, everywhere you use it.</li>
<li>Card or bank details: call your bank at once, by the number on your card.</li>
<li>You lost money: tell your bank first, then report it to the police.</li>
</ul>

<h2>If you did not open anything</h2>
<p>Then a program on one of your devices may have done so. Update your devices, and have them looked over.</p>

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
