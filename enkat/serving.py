"""The server: granian with as many workers as cores, and one child for the background work."""

import gc
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Flask
from granian import Granian
from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from enkat.app import create_app
from enkat.house import House
from enkat.secrecy import passwords

#: Logs that name no address and no path.
_QUIET = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(levelname)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain", "stream": "ext://sys.stderr"}},
    "loggers": {
        "_granian": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "enkat": {"handlers": ["console"], "level": "INFO", "propagate": False},
    },
}


def serve(house: House, host: str, port: int, workers: int | None = None) -> None:
    """Serve until stopped. The application is built before the workers are forked, so that they share it."""
    server = Granian(
        "enkat",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers or multiprocessing.cpu_count(),
        blocking_threads=1,
        websockets=False,
        http1_settings=HTTP1Settings(header_read_timeout=15_000, max_buffer_size=128 * 1024),
        log_level=LogLevels.warning,
        log_dictconfig=_QUIET,
        log_access=False,
        respawn_failed_workers=True,
        workers_kill_timeout=5,
    )
    app = create_app(house.settings, house)
    passwords.prepare()
    gc.collect()
    gc.freeze()  # what the workers share is not to be touched, and so copied, by their collectors
    background = _Background(house.settings.base_url)
    background.start()
    try:
        server.serve(target_loader=partial(_loaded, app, os.getpid()), wrap_loader=False)
    finally:
        background.stop()


def _loaded(app: Flask, server: int) -> Callable[..., Any]:
    """Runs in each worker."""
    threading.Thread(target=_end_with, args=(server,), daemon=True).start()
    return app


def _end_with(server: int) -> None:
    """End this worker when its server has been killed, so that nobody serves on without the background work."""
    while os.getppid() == server:
        time.sleep(1)
    os._exit(1)


class _Background:
    """The child that counts and sends; started again whenever it ends before the server does.

    The first one is started before any worker is forked: a worker forked in the midst of it would hold the pipe
    by which Popen learns that its child runs, and the watch would wait for that worker's end.
    """

    def __init__(self, base_url: str | None) -> None:
        # What links begin with is where this server listens, unless a setting says it.
        self._environment = os.environ | ({"ENKAT_BASE_URL": base_url} if base_url else {})
        self._stopping = threading.Event()
        self._child = self._spawn()
        self._watch = threading.Thread(target=self._keep, daemon=True)

    def start(self) -> None:
        self._watch.start()

    def stop(self) -> None:
        self._stopping.set()
        self._child.terminate()
        self._watch.join(timeout=10)

    def _keep(self) -> None:
        while True:
            self._child.wait()
            if self._stopping.wait(5):
                return
            self._child = self._spawn()
            if self._stopping.is_set():
                self._child.terminate()

    def _spawn(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-m", "enkat", "work", "--with-parent", str(os.getpid())],
            stdin=subprocess.DEVNULL,
            env=self._environment,
        )
