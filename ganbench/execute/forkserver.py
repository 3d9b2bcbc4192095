"""A fork server: a process that has imported torch once and starts others by forking, in milliseconds, not seconds.

    python -m ganbench.execute.forkserver SOCKET

It ends when nobody can ask it any more, and by no signal that asks processes to end: a scheduler sends that to every
process of a job, and what the server started has checkpoints to write.

It never computes anything itself, so that what it starts is as new as a process with a Python of its own: the same
environment, one thread, no random number drawn, no GPU touched. On Linux only: elsewhere the system's own libraries do
not bear a fork.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ganbench.execute import child
from ganbench.execute.child import Process, Streams, environment, spawn

IMPORTED = ("ganbench.train.run", "torch._dynamo")
"""What every training process imports; an optimizer has torch import its compiler."""

ASKED_TO_END = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGUSR2)
MESSAGE, DESCRIPTORS = 2**17, 32
"""Most bytes and file descriptors of a request."""
BEGUN = b"begun "
"""Before the number that a new process tells of itself. Whoever asked for it thus knows it, or it has not begun."""


class Forked:
    """A process that a fork server has started and waits for."""

    def __init__(self, pid: int, server: socket.socket) -> None:
        self.pid, self._server = pid, server
        self.returncode: int | None = None

    def ended(self, block: bool = False) -> bool:
        """As `Process` says. If its server is gone, so is all knowledge of it, and it counts as ended."""
        if self.returncode is None:
            self._server.setblocking(block)
            try:
                self._server.recv(1, socket.MSG_PEEK)
            except BlockingIOError:
                return False
        return True

    def wait(self) -> int:
        """As `Process` says. Of one whose server is gone: as if killed, which the caller sees to."""
        if self.returncode is None:
            self._server.setblocking(True)
            code = self._server.recv(MESSAGE)
            with contextlib.suppress(OSError):
                self._server.shutdown(socket.SHUT_WR)
                self._server.recv(1)  # ends when the server has reaped it
            self._server.close()
            self.returncode = int(code) if code else -signal.SIGKILL
        return self.returncode


class ForkServer:
    """Starts processes with so many threads; started itself with the first one, and again after a death."""

    def __init__(self, threads: int = 1) -> None:
        self._threads, self._lock = threads, threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._requests: socket.socket | None = None

    def start(self, words: Sequence[str], threads: int, streams: Streams) -> Process:
        """A `child.Start`. Where it cannot fork (another system, other threads, a server that dies) it spawns."""
        if threads == self._threads and can_fork():
            with contextlib.suppress(OSError):
                return self._fork(words, streams)
        return spawn(words, threads, streams)

    def close(self) -> None:
        """End the server. What it started goes on."""
        if self._requests is not None:
            self._requests.close()
            self._requests = None
        if self._process is not None:
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _fork(self, words: Sequence[str], streams: Streams) -> Forked:
        """Raises OSError where the server has died."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self.close()
                self._begin()
            assert self._requests is not None
            requests = self._requests
        mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with contextlib.ExitStack() as unless_started:
            unless_started.enter_context(mine)
            with its:
                descriptors = [its.fileno(), streams.stdin, streams.stdout, streams.stderr, streams.lifeline]
                socket.send_fds(requests, [json.dumps(words).encode()], [*descriptors, *streams.held])
            said = mine.recv(MESSAGE)
            if not said.startswith(BEGUN):
                raise ConnectionError("the fork server has died, or what it forked, before anything began")
            unless_started.pop_all()
        return Forked(int(said.removeprefix(BEGUN)), mine)

    def _begin(self) -> None:
        self._requests, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "ganbench.execute.forkserver", str(its.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment(self._threads),
                pass_fds=(its.fileno(),),
                start_new_session=True,
            )


def can_fork() -> bool:
    """Whether this system lets a server wait for what it forked."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return True


def main(number: int) -> None:
    """Serve, and in a process that was asked for become what it is to be."""
    code = [0]
    atexit.register(_leave, code)  # the first to be registered is the last to be called
    requests = socket.socket(fileno=number)
    before = {end: signal.signal(end, signal.SIG_IGN) for end in ASKED_TO_END}
    for name in IMPORTED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # a collection in a process would copy every page that it looks at
    words = serve(requests, before)
    if words is None:
        return
    code[0] = 1
    try:
        child.main(words)
        code[0] = 0
    except SystemExit as end:
        code[0] = end.code if isinstance(end.code, int) else int(end.code is not None)
        raise


def _leave(code: Sequence[int]) -> None:
    """End at once: for a third of a second Python would take torch's modules down one by one."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code[0])


def serve(requests: socket.socket, before: Mapping[signal.Signals, Any]) -> list[str] | None:
    """Start what is asked for until nobody can ask any more: then None; in what it starts, its words for `main`.

    before: what a new process makes of signals.
    """
    with selectors.DefaultSelector() as waiting:
        waiting.register(requests, selectors.EVENT_READ)
        while True:
            for key, _ in waiting.select():
                process: _Running | None = key.data
                if process is None:
                    message, descriptors, flags, _ = socket.recv_fds(requests, MESSAGE, DESCRIPTORS)
                    if not message:
                        return None
                    pid = None if flags & socket.MSG_CTRUNC else _fork(descriptors[1:], before)
                    if pid is None:  # whoever asks sees that nothing begins; what runs already goes on
                        _close(descriptors)
                        continue
                    asker, *streams = descriptors
                    if pid == 0:
                        with socket.socket(fileno=asker) as told:
                            told.send(BEGUN + str(os.getpid()).encode())
                        requests.close()
                        for other in waiting.get_map().values():
                            if other.data is not None:
                                other.data.close()
                        words: list[str] = json.loads(message)
                        _be_called(words[1])
                        return [str(streams[3]), *words]
                    process = _Running(pid, os.pidfd_open(pid), socket.socket(fileno=asker))
                    waiting.register(process.handle, selectors.EVENT_READ, process)
                elif key.fd == process.handle:
                    process.say(process.returncode())
                    waiting.unregister(process.handle)
                    waiting.register(process.asker, selectors.EVENT_READ, process)
                else:  # its parent has done with it
                    waiting.unregister(process.asker)
                    os.waitpid(process.pid, 0)
                    process.close()


@dataclass(frozen=True)
class _Running:
    """A process, by which descriptor its end is told, and who asked for it."""

    pid: int
    handle: int
    asker: socket.socket

    def returncode(self) -> int:
        """Of one that has ended, and stays a zombie."""
        end = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        assert end is not None
        return end.si_status if end.si_code == os.CLD_EXITED else -end.si_status

    def say(self, number: int) -> None:
        """Tell who asked."""
        with contextlib.suppress(OSError):
            self.asker.send(str(number).encode())

    def close(self) -> None:
        """Let go of it."""
        os.close(self.handle)
        self.asker.close()


def _fork(streams: list[int], before: Mapping[signal.Signals, Any]) -> int | None:
    """A new process, in a session of its own with these streams: 0 in it, here its number; None where the system has
    none to give. It misses no signal."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, before)
    try:
        try:
            pid = os.fork()
        except OSError:
            return None
        if pid == 0:
            os.setsid()
            for number, stream in enumerate(streams[:3]):
                os.dup2(stream, number)
                os.close(stream)
            for end, handler in before.items():
                signal.signal(end, handler)
        else:
            _close(streams)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    return pid


def _close(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _be_called(name: str) -> None:
    """What `ps` and `top` show, of which the system keeps 15 characters."""
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(name)


if __name__ == "__main__":
    main(int(sys.argv[1]))
