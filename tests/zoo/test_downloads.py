"""Downloads by their own libraries from a server on this machine that fails in every way: one clear line, nothing torn
in the cache, and the next attempt works."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import http.server
import os
import pty
import socket
import struct
import sys
import termios
import threading
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch_fidelity.feature_extractor_inceptionv3
from torchvision.datasets import MNIST

from ganbench import Unavailable
from ganbench.cli import main
from ganbench_zoo.datasets import mnist
from ganbench_zoo.extractors import inception_v3_compat as inception


@dataclass
class Mirror:
    """A server: what it holds, and how it fails (`""`: not at all)."""

    address: str
    files: dict[str, bytes] = field(default_factory=dict)
    failure: str = ""
    served: list[str] = field(default_factory=list)
    end: threading.Event = field(default_factory=threading.Event)


@pytest.fixture(scope="module")
def server() -> Iterator[Mirror]:
    """The server, which answers as `failure` says."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rpartition("/")[2]
            body, failure = mirror.files.get(name, b""), mirror.failure
            mirror.served.append(name)
            if failure == "404":
                return self.send_error(404)
            if failure == "loop":
                self.send_response(302)
                self.send_header("Location", f"{mirror.address}{len(mirror.served)}/{name}")
                return self.end_headers()
            if failure == "mute":
                mirror.end.wait(20)
                return None
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if failure == "rubbish":
                body = bytes(len(body))
            self.wfile.write(body[: len(body) // 2] if failure in ("half", "stall") else body)
            if failure == "stall":
                self.wfile.flush()
                mirror.end.wait(20)
            return None

        def log_message(self, *words: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        mirror = Mirror(f"http://127.0.0.1:{listening.server_port}/")
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield mirror
        mirror.end.set()
        listening.shutdown()


@pytest.fixture
def mirror(server: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mirror:
    """The server as the only place where MNIST (of twenty digits) and Inception's weights (of some bytes) are."""
    raw = np.random.default_rng(0).integers(0, 10, (20, 784), np.uint8)
    images = struct.pack(">HBBIII", 0, 8, 3, 20, 28, 28) + raw.tobytes()
    labels = struct.pack(">HBBI", 0, 8, 1, 20) + raw[:, 0].tobytes()
    held = {name: images if "images" in name else labels for name in mnist.SIZES}
    packed = {f"{name}.gz": gzip.compress(data, 1) for name, data in held.items()}
    monkeypatch.setattr(mnist, "SIZES", {name: len(data) for name, data in held.items()})
    monkeypatch.setattr(mnist, "SHA256", {name: hashlib.sha256(data).hexdigest() for name, data in held.items()})
    monkeypatch.setattr(MNIST, "mirrors", [server.address + "first/", server.address + "second/"])
    monkeypatch.setattr(MNIST, "resources", [(name, hashlib.md5(data).hexdigest()) for name, data in packed.items()])
    weights = raw.tobytes()
    monkeypatch.setattr(inception, "OFFICIAL", hashlib.sha256(weights).hexdigest()[:8])
    url = f"{server.address}{inception.FILE}"
    monkeypatch.setattr(torch_fidelity.feature_extractor_inceptionv3, "URL_INCEPTION_V3", url)
    for name in ("http_proxy", "https_proxy", "all_proxy", "GANBENCH_DATA"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("GANBENCH_DOWNLOAD_SECONDS", raising=False)
    monkeypatch.setattr(urllib.request, "_opener", None)  # an earlier one has read the environment
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    server.files, server.failure, server.served[:] = {**packed, inception.FILE: weights}, "", []
    return server


def digits() -> int:
    return len(mnist.load("test")[0])


def weights() -> int:
    return inception.weights().file.stat().st_size


GET: dict[str, tuple[Callable[[], int], int]] = {"digits": (digits, 20), "weights": (weights, 20 * 784)}
"""What is fetched, by the plugin that needs it, and how much of it there is."""
SAID = {
    "mute": ("nothing came for 0.4 s", "nothing came for 0.4 s"),
    "stall": ("nothing came for 0.4 s", "nothing came for 0.4 s"),
    "half": ("corrupted", "invalid hash value"),
    "rubbish": ("corrupted", "invalid hash value"),
    "404": ("HTTP Error 404", "HTTP Error 404"),
    "loop": ("redirect", "redirect"),
}


def reason(get: Callable[[], int]) -> str:
    """The one line that a failed download ends in."""
    with pytest.raises(Unavailable) as caught:
        get()
    line = str(caught.value)
    assert "\n" not in line and "GANBENCH_DATA" in line and len(line) < 550
    return line


@pytest.mark.parametrize("what", GET)
@pytest.mark.parametrize("failure", SAID)
def test_a_line_no_torn_cache_and_the_next_attempt_works(
    failure: str,
    what: str,
    mirror: Mirror,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    get, size = GET[what]
    mirror.failure = failure
    with monkeypatch.context() as patch:
        if "nothing came" in SAID[failure][0]:
            patch.setenv("GANBENCH_DOWNLOAD_SECONDS", "0.4")
        line = reason(get)
    assert SAID[failure][what == "weights"] in line
    assert mirror.served, "it was asked"
    assert [f for f in (tmp_path / "cache").rglob("*") if f.is_file()] == []
    assert os.listdir(tmp_path / "cache" / "data") == []
    mirror.failure = ""
    assert get() == size
    asked = len(mirror.served)
    assert get() == size and len(mirror.served) == asked, "what is here is not fetched again"
    assert capfd.readouterr() == ("", ""), "a bar is for terminals"


def test_the_second_mirror_helps_out(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        refusing = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        monkeypatch.setattr(MNIST, "mirrors", [refusing, mirror.address])
        assert digits() == 20


def unnamed(*words: object, **more: object) -> None:
    raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


def test_no_name_service_and_a_dead_proxy(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MNIST, "mirrors", ["http://digits.invalid/"])
    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", unnamed)
        assert "Temporary failure in name resolution" in reason(digits)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setattr(urllib.request, "_opener", None)
        monkeypatch.setenv("http_proxy", f"http://me:secret@127.0.0.1:{unused.getsockname()[1]}")
        line = reason(digits)
    assert "Connection refused" in line and "the proxy of http_proxy" in line and "secret" not in line


def test_a_suite_goes_on_with_its_stand_in(
    mirror: Mirror, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    mirror.failure = "stall"
    monkeypatch.setenv("GANBENCH_DOWNLOAD_SECONDS", "0.4")
    for more, code, words in (([], 0, "using mnist-5k instead"), (["--dataset", "mnist"], 2, "has no stand-in")):
        with pytest.raises(SystemExit) as ended:
            main(["run", "--suite", "mnist", "--dry-run", "--device", "cpu", "--loss", "hinge", *more])
        out, told = capsys.readouterr()
        (line,) = [line for line in (out + told).splitlines() if "nothing came for 0.4 s" in line]
        assert ended.value.code == code and words in line


def test_a_bar_on_a_terminal(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (25, 80))
    with os.fdopen(theirs, "w") as terminal, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", terminal)
        assert weights() == 20 * 784
    shown = b""
    with contextlib.suppress(OSError):  # the end of what a closed terminal was told; one reading may give a part of it
        while part := os.read(ours, 100_000):
            shown += part
    os.close(ours)
    assert b"100%" in shown and b"15.3k" in shown
