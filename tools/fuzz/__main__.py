"""Coverage-guided fuzzing of the readers and the codecs, each target in a process of its own.

    .venv/bin/python -m tools.fuzz [SECONDS] [TARGET…]

atheris instruments what it imports, looks for input that reaches new code, and stops at the first exception
that is no refusal; the input is kept as `crash-…` in the folder that is named. Exits with 1 where something
was found.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from tools.fuzz.targets import TARGETS

SECONDS = 60
LONGEST = 20_000
SLOW = 20  # seconds that no input of that size may take


def run(name: str, seconds: int, folder: Path) -> int:
    """Fuzz one target; gives its exit code."""
    command = [sys.executable, "-m", "tools.fuzz.one", name, str(folder), f"-max_total_time={seconds}"]
    more = [f"-max_len={LONGEST}", f"-timeout={SLOW}", f"-artifact_prefix={folder}/", "-print_final_stats=1"]
    return subprocess.run([*command, *more], check=False).returncode


def main() -> None:
    """Fuzz what is named, or everything."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    names = sys.argv[2:] or TARGETS
    found = []
    for name in names:
        folder = Path(tempfile.mkdtemp(prefix=f"tocsin-fuzz-{name}-"))
        if run(name, seconds, folder):
            found.append(f"{name}: see {folder}")
    print("\n".join(found) or "nothing was found")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
