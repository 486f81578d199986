"""Every line of a log once, whatever happens to the file's name."""

import gzip
import os
import random
import shutil
from pathlib import Path

import pytest

from tocsin.sift.live import following
from tocsin.sift.live.following import Followed, Place


@pytest.fixture(autouse=True)
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """A renamed file is left at once: tests write nothing to it afterwards."""
    monkeypatch.setattr(following, "GRACE", 0.0)


def lines_of(followed: Followed, budget: int = 1 << 20) -> list[str]:
    """Everything there is to read now."""
    found = []
    while window := followed.read(budget):
        found += window.content.decode().splitlines()
    return found


def append(log: Path, *lines: str) -> None:
    """Write whole lines to the end."""
    with log.open("a") as out:
        out.write("".join(line + "\n" for line in lines))


def test_a_line_is_given_when_it_is_whole(tmp_path: Path) -> None:
    """The end of a line that is still being written is waited for."""
    log = tmp_path / "auth.log"
    followed = Followed(str(log))
    assert lines_of(followed) == []
    with log.open("w") as out:
        out.write("one\ntw")
        out.flush()
        assert lines_of(followed) == ["one"]
        out.write("o\n")
        out.flush()
        assert lines_of(followed) == ["two"]
    window = None
    append(log, "three")
    window = followed.read(1 << 20)
    assert window
    assert (window.first_line, window.path) == (3, str(log))


@pytest.mark.parametrize("compressed", [False, True])
def test_a_rotation_during_an_outage_is_caught_up(compressed: bool, tmp_path: Path) -> None:
    """From the place that was kept: the rest of the old file, the files between, the new one."""
    log = tmp_path / "auth.log"
    append(log, *(f"old line {n} {'x' * 60}" for n in range(200)))
    followed = Followed(str(log))
    assert len(lines_of(followed)) == 200
    place = followed.place
    followed.close()
    append(log, "late")
    log.rename(tmp_path / "auth.log.2")
    append(tmp_path / "auth.log.1", "between")
    append(log, "new")
    if compressed:
        for number in (2, 1):
            path = tmp_path / f"auth.log.{number}"
            packed = path.with_name(path.name + ".gz")
            packed.write_bytes(gzip.compress(path.read_bytes()))
            shutil.copystat(path, packed)
            path.unlink()
    again = Followed(str(log), place)
    assert lines_of(again) == ["late", "between", "new"]
    assert again.lost == 0


def test_a_file_that_is_copied_and_cut_loses_nothing(tmp_path: Path) -> None:
    """logrotate's copytruncate: what came before the cut is found in the copy."""
    log = tmp_path / "app.log"
    followed = Followed(str(log))
    append(log, *(f"first {n} {'y' * 90}" for n in range(100)))
    assert len(lines_of(followed)) == 100
    append(log, "before the cut")
    shutil.copy(log, tmp_path / "app.log.1")
    log.write_text("")
    append(log, "after")
    assert lines_of(followed) == ["before the cut", "after"]


def test_what_was_rotated_away_for_good_is_said_to_be_lost(tmp_path: Path) -> None:
    """Nobody pretends to have read it; the new file is read from its start."""
    log = tmp_path / "auth.log"
    log.write_text("new\n")
    followed = Followed(str(log), Place(1, 2, 50, 3, "0" * 64, 50))
    assert lines_of(followed) == ["new"]
    assert followed.lost == 1


@pytest.mark.parametrize("seed", range(12))
def test_any_life_of_a_log_gives_every_line_once(seed: int, tmp_path: Path) -> None:
    """Writing, rotating, compressing and restarting in any order: all lines, in order, none twice."""
    dice, log, written, read = random.Random(seed), tmp_path / "auth.log", 1, [f"{0:06}"]
    append(log, read[0])
    followed = Followed(str(log))
    assert lines_of(followed) == read
    for _ in range(120):
        act = dice.choice(["write", "write", "write", "read", "rotate", "compress", "restart"])
        if act == "write":
            more = dice.randrange(1, 60)
            append(log, *(f"{n:06} {'z' * dice.randrange(80)}" for n in range(written, written + more)))
            written += more
        elif act == "read" and (window := followed.read(dice.randrange(50, 4000))):
            read += window.content.decode().splitlines()
        elif act == "rotate" and log.exists():
            rotated = sorted(tmp_path.glob("auth.log.[0-9]*"), key=lambda path: -int(path.name.split(".")[2]))
            for path in rotated:
                number, *ending = path.name.removeprefix("auth.log.").split(".")
                path.rename(tmp_path / ".".join(["auth.log", str(int(number) + 1), *ending]))
            log.rename(tmp_path / "auth.log.1")
        elif act == "compress":
            for path in tmp_path.glob("auth.log.[0-9]*"):
                # What is being read is compressed behind the reader's back only once it was left.
                number = int(path.name.split(".")[2])
                if number > 1 and not path.name.endswith(".gz"):
                    packed = path.with_name(path.name + ".gz")
                    packed.write_bytes(gzip.compress(path.read_bytes()))
                    shutil.copystat(path, packed)
                    path.unlink()
        elif act == "restart":
            place = followed.place
            followed.close()
            followed = Followed(str(log), place)
    read += lines_of(followed)
    if not log.exists():
        append(log, "end")
        read += [line for line in lines_of(followed) if line != "end"]
    assert [int(line[:6]) for line in read] == list(range(written))


def test_an_empty_log_is_not_taken_for_its_packed_forms(tmp_path: Path) -> None:
    """Nothing of it was read when the watch ended: what was rotated long before is not read again."""
    log = tmp_path / "auth.log"
    old = tmp_path / "auth.log.1.gz"
    old.write_bytes(gzip.compress(b"read long ago\n"))
    os.utime(old, (1, 1))
    log.touch()
    followed = Followed(str(log))
    followed.stand()
    place = followed.place
    followed.close()
    append(log, "new")
    again = Followed(str(log), place)
    assert lines_of(again) == ["new"]
    again.close()
    append(log, "newer")
    log.rename(tmp_path / "auth.log.2")
    (tmp_path / "auth.log.2.gz").write_bytes(gzip.compress((tmp_path / "auth.log.2").read_bytes()))
    append(log, "newest")  # before the old one goes, so that it is another inode
    (tmp_path / "auth.log.2").unlink()
    assert lines_of(Followed(str(log), place)) == ["new", "newer", "newest"]


def test_a_log_that_is_written_anew_behind_ones_back_is_read_from_its_start(tmp_path: Path) -> None:
    """Cut and outgrown between two looks: its length tells nothing, its beginning does."""
    log = tmp_path / "app.log"
    append(log, "first life", "of this log")
    followed = Followed(str(log))
    assert lines_of(followed) == ["first life", "of this log"]
    log.write_text("second life\n" + "longer\n" * 9)
    assert lines_of(followed) == ["second life", *["longer"] * 9]
    assert followed.lost == 1


def test_a_rotation_that_puts_the_date_before_the_ending_is_caught_up(tmp_path: Path) -> None:
    """logrotate's `extension`: `app.log` goes on in `app-20261125.log`."""
    log = tmp_path / "app.log"
    append(log, "one")
    followed = Followed(str(log))
    assert lines_of(followed) == ["one"]
    place = followed.place
    followed.close()
    append(log, "two")
    log.rename(tmp_path / "app-20261125.log")
    append(log, "three")
    again = Followed(str(log), place)
    assert lines_of(again) == ["two", "three"]
    assert again.lost == 0
