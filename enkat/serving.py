"""The server: granian with as many workers as cores, and one child for the background work."""

import multiprocessing
import os
import subprocess
import sys
import threading
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
        workers_kill_timeout=10,
    )
    app = create_app(house.settings, house)
    background = _Background()
    background.start()
    try:
        server.serve(target_loader=partial(_loaded, app), wrap_loader=False)
    finally:
        background.stop()


def _loaded(app: Flask) -> Callable[..., Any]:
    return app


class _Background:
    """The child that counts; started again whenever it ends before the server does."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._watch = threading.Thread(target=self._keep, daemon=True)

    def start(self) -> None:
        self._watch.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._child and self._child.poll() is None:
            self._child.terminate()
        self._watch.join(timeout=10)

    def _keep(self) -> None:
        while not self._stopping.is_set():
            self._child = subprocess.Popen(
                [sys.executable, "-m", "enkat", "work", "--with-parent", str(os.getpid())],
                stdin=subprocess.DEVNULL,
            )
            self._child.wait()
            self._stopping.wait(5)
