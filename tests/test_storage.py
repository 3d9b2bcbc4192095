"""Downloads come whole or not at all, and are given up when nothing comes."""

from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path

import pytest

from ganbench import Unavailable, UsageError, cache_dir, data_roots, fetch
from ganbench.storage import Reachable, glance


def test_folders_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GANBENCH_DATA", os.pathsep.join([str(tmp_path / "b"), "", str(tmp_path / "a"), "~/c"]))
    assert cache_dir() == tmp_path / "cache" and not cache_dir().exists()
    assert data_roots() == [tmp_path / "b", tmp_path / "a", Path.home() / "c", tmp_path / "cache" / "data"]
    monkeypatch.delenv("GANBENCH_DATA")
    assert data_roots() == [tmp_path / "cache" / "data"]
    monkeypatch.delenv("GANBENCH_CACHE")
    assert cache_dir().is_absolute() and "ganbench" in cache_dir().parts


def test_a_download_appears_at_once_and_whole(tmp_path: Path) -> None:
    into = tmp_path / "deep" / "set"
    seen: list[bool] = []

    def download(folder: Path) -> None:
        assert not list(folder.iterdir())
        (folder / "one").write_text("1")
        seen.append(into.exists())
        (folder / "below").mkdir()
        (folder / "below" / "two").write_text("2")

    assert fetch(download, into, "the set") == into
    assert seen == [False] and (into / "below" / "two").read_text() == "2"
    assert os.listdir(into.parent) == ["set"] and into.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(("text", "seconds"), [("", 10.0), ("3", 3.0)])
def test_patience_from_the_environment(
    text: str, seconds: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANBENCH_DOWNLOAD_SECONDS", text)
    seen: list[float | None] = []
    fetch(lambda folder: seen.append(socket.getdefaulttimeout()), tmp_path / "set", "the set")
    assert seen == [seconds] and socket.getdefaulttimeout() != seconds


@pytest.mark.parametrize("text", ["soon", "0", "-1", "nan"])
def test_patience_is_a_number(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANBENCH_DOWNLOAD_SECONDS", text)
    with pytest.raises(UsageError, match=f"GANBENCH_DOWNLOAD_SECONDS={text}: must be a number of seconds"):
        fetch(lambda folder: None, tmp_path / "set", "the set")


def test_who_is_second_takes_what_is_there(tmp_path: Path) -> None:
    into = tmp_path / "set"

    def download(folder: Path) -> None:
        into.mkdir()
        (into / "first").touch()
        (folder / "second").touch()

    fetch(download, into, "the set")
    assert os.listdir(into) == ["first"] and os.listdir(tmp_path) == ["set"]


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (OSError("Name or service\n not known"), "(OSError: Name or service not known)"),
        (SystemExit("gone"), "(SystemExit: gone)"),
        (RuntimeError("x" * 1000), "xxx…)"),
    ],
)
def test_a_failure_is_one_line_and_leaves_nothing(tmp_path: Path, failure: BaseException, reason: str) -> None:
    def download(folder: Path) -> None:
        (folder / "half").write_text("1")
        raise failure

    with pytest.raises(Unavailable) as error:
        fetch(download, tmp_path / "set", "the set")
    line = str(error.value)
    assert line.startswith("the set: not on this machine and not downloaded (") and reason in line
    assert "GANBENCH_DATA" in line and "\n" not in line and len(line) < 520
    assert os.listdir(tmp_path) == []


def test_a_stall_is_given_up(tmp_path: Path) -> None:
    released = threading.Event()

    def download(folder: Path) -> None:
        (folder / "half").write_text("1")
        released.wait(30)

    begin, timeout = time.monotonic(), socket.getdefaulttimeout()
    with pytest.raises(Unavailable, match=r"the set: .* \(nothing came for 0\.3 s\)"):
        fetch(download, tmp_path / "set", "the set", idle=0.3)
    assert 0.3 <= time.monotonic() - begin < 10
    assert os.listdir(tmp_path) == [] and socket.getdefaulttimeout() == timeout
    released.set()


def test_what_comes_slowly_is_waited_for(tmp_path: Path) -> None:
    def download(folder: Path) -> None:
        for _ in range(8):
            time.sleep(0.15)
            with (folder / "file").open("a") as file:
                file.write("x")

    fetch(download, tmp_path / "set", "the set", idle=0.7)
    assert (tmp_path / "set" / "file").read_text() == "x" * 8


def test_leavings_of_a_killed_process_are_cleared(tmp_path: Path) -> None:
    for name, age in ((".set-part-old", 7200), (".set-part-new", 0)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    fetch(lambda folder: None, tmp_path / "set", "the set")
    assert sorted(os.listdir(tmp_path)) == [".set-part-new", "set"]


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"file: cannot be written \(.*\); set GANBENCH_CACHE to another folder"):
        fetch(lambda folder: None, tmp_path / "file" / "set", "the set")
    with pytest.raises(UsageError, match=r"file: cannot be written \(.*\); move it away"):
        fetch(lambda folder: None, tmp_path / "file", "the set")


def test_a_glance_ends_with_the_first_byte_and_keeps_nothing(tmp_path: Path) -> None:
    released = threading.Event()

    def download(folder: Path) -> None:
        (folder / "half").write_text("1")
        released.wait(30)

    begin = time.monotonic()
    with glance(5.0), pytest.raises(Reachable, match="the set"):
        fetch(download, tmp_path / "set", "the set")
    assert time.monotonic() - begin < 4
    with glance(0.3), pytest.raises(Unavailable, match=r"the set: .* \(nothing came for 0\.3 s\)"):
        fetch(lambda folder: released.wait(30), tmp_path / "set", "the set")
    assert os.listdir(tmp_path) == []
    released.set()
