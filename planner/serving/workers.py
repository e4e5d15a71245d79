"""The workers: processes that serve requests, and what all of them have in common."""

import logging
import multiprocessing
import os
import sys
import tempfile
from socket import socket

import uvicorn
from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE

from database.embedded.processes import die_with_parent
from planner.app import create_app
from planner.logs import configure_logs
from planner.memory.process import freeze_gc, limit_arenas
from planner.serving.supervisor import Supervisor
from planner.settings import Settings, load
from planner.startup import database_url_of, explain_failure, start_tracing
from planner.telemetry.metrics import SHARED_FOLDER
from routes.server.protocol import BoundedProtocol

log = logging.getLogger("planner")
# What a worker may take to close its connections to the database, when it has no more requests.
END_SECONDS = 1


def run_workers(settings: Settings, ready: Settings, listener: socket) -> int:
    """Run workers until a signal comes, and return the exit status; `ready` are the settings with a database."""
    _hand_down(settings, ready)
    with tempfile.TemporaryDirectory(prefix="planner-metrics-", dir=_memory_folder()) as folder:
        # The workers count what they do in files of this folder; see `planner/telemetry/metrics.py`.
        os.environ[SHARED_FOLDER] = folder
        config = configure_server(settings, "planner.serving.workers:worker", settings.workers)
        supervisor = Supervisor(config, [listener], settings.drain_seconds + settings.grace_seconds + END_SECONDS)
        supervisor.run()
    # An end that nobody asked for is a failure, so that whoever runs the planner starts it again.
    return 0 if supervisor.was_asked_to_stop else 1


def _memory_folder() -> str | None:
    """Return the folder for files in memory, or None where there is none.

    The files of the metrics are mapped into memory, and on a full disk the kernel would kill who writes there.
    """
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - the folder in it has a random name


def configure_server(settings: Settings, app: FastAPI | str, workers: int = 1) -> uvicorn.Config:
    """Return the configuration of a server of this application, or of what makes it in each worker."""
    return uvicorn.Config(
        app,
        factory=isinstance(app, str),
        workers=workers,
        http=BoundedProtocol,
        loop="routes.server.loop:new_loop",
        backlog=settings.listen_backlog,
        timeout_keep_alive=settings.keep_alive_seconds,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=settings.proxies,
        timeout_graceful_shutdown=settings.grace_seconds,
    )


def _hand_down(settings: Settings, ready: Settings) -> None:
    """Pass on to worker processes, through the environment, what they do not find out themselves.

    Each worker reads a `DATABASE_URL` in `.env` when it starts, so that on SIGHUP new ones use new credentials.
    """
    assert ready.secret_key is not None
    if settings.database_url is None:
        os.environ["DATABASE_URL"] = database_url_of(ready)
    # All workers have the same secret at any time.
    os.environ["SECRET_KEY"] = ready.secret_key.get_secret_value()
    os.environ["HOST"], os.environ["PORT"] = settings.host, str(settings.port)


def worker() -> FastAPI:
    """Return the application of one worker process.

    If it cannot be made, such as for a wrong setting in `.env`, the log says why, and the process ends with status 3.
    """
    die_with_parent()
    parent = multiprocessing.parent_process()
    if parent is not None and parent.pid != os.getppid():
        # It ended before the line above: nobody would ever stop this process.
        os._exit(1)
    limit_arenas()
    configure_logs("info", "auto")
    try:
        settings = load()
        request_log = configure_logs(settings.log_level, settings.log_format)
        return freeze_gc(create_app(settings, request_log=request_log, tracing=start_tracing(settings)))
    except Exception as error:
        sentence = explain_failure(error)
        if sentence is None:
            raise
        log.error("the worker cannot start: %s", sentence)
        sys.exit(STARTUP_FAILURE)
