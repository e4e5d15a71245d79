"""The operator's commands: `python -m planner …`."""

import argparse
import asyncio
import contextlib
import getpass
import logging
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import uvicorn
from pydantic import SecretStr

from database.backup import restore_backup, write_backup
from database.embedded.server import EmbeddedMongo, running_url
from database.migrate import migrate
from planner.app import create_app
from planner.errors import ConfigurationError
from planner.logs import configure_logs
from planner.memory.process import freeze_gc, limit_arenas
from planner.serving.supervisor import Server
from planner.serving.workers import configure_server, run_workers
from planner.settings import Settings, find_misspelt_names, load
from planner.startup import (
    check_outbox,
    check_room,
    check_tracing,
    database_url_of,
    explain_failure,
    inspect_database,
    open_checked_database,
    prepare_outbox,
    recover,
    start_tracing,
)
from planner.version import VERSION, find_commit
from planner.wiring import Services
from routes.server.connections import raise_file_limit
from routes.server.listener import open_listener

log = logging.getLogger("planner")
# How long `check` waits for the database.
CHECK_SECONDS = 5.0
# What a worker may take to close its connections to the database, when it has no more requests.
END_SECONDS = 1
T = TypeVar("T")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = _parser().parse_args(arguments)
    configure_logs("info", "auto")
    try:
        run: Callable[[argparse.Namespace], int] = options.run
        return run(options)
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        sentence = explain_failure(error)
        if sentence is None:
            raise
        print(f"planner: {sentence}", file=sys.stderr)
        return 1


class _ShowVersion(argparse.Action):
    """Prints the version. Its commit is looked for only now, because that starts another process."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(f"planner {VERSION} ({find_commit() or 'unknown commit'})")
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m planner",
        description="An event planner over HTTP. Settings come from the environment and .env; see .env.example.",
    )
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="print the version and the commit, and exit")
    commands = parser.add_subparsers(required=True, metavar="command")

    serve = commands.add_parser("serve", help="start the planner, with an embedded MongoDB if DATABASE_URL is not set")
    serve.add_argument("--host", help="the address to listen on (HOST)")
    serve.add_argument("--port", type=int, help="the port to listen on (PORT)")
    serve.add_argument("--workers", type=int, help="how many processes serve requests (WORKERS)")
    serve.set_defaults(run=_serve)

    check = commands.add_parser("check", help="check the settings and the connection to the database; changes nothing")
    check.set_defaults(run=_check)

    admin = commands.add_parser("admin", help="manage admins").add_subparsers(required=True, metavar="command")
    create = admin.add_parser("create", help="make an account an admin, or create one; asks for the password")
    create.add_argument("email", help="the e-mail address of the account (no username)")
    create.set_defaults(run=_create_admin)

    send = commands.add_parser("send-due", help="send the queued mail once; a running planner does this continuously")
    send.set_defaults(run=_send_due)

    delete = commands.add_parser("delete-due", help="finish deleting accounts; a running planner does this by itself")
    delete.set_defaults(run=_delete_due)

    stats = commands.add_parser("stats", help="count the accounts, the events and the rest of what is stored")
    stats.set_defaults(run=_show_statistics)

    backup = commands.add_parser("backup", help="write everything in the database, as of one moment, to a new file")
    backup.add_argument("file", type=Path, help="the file to write; it must not exist")
    backup.set_defaults(run=_back_up)

    restore = commands.add_parser("restore", help="write the content of a backup into an empty database")
    restore.add_argument("file", type=Path, help="a file that `backup` has written")
    restore.set_defaults(run=_restore)

    migrations = commands.add_parser("migrate", help="bring stored data up to date with this version")
    migrations.add_argument("--back", type=int, default=0, metavar="N", help="undo the last N migrations")
    migrations.set_defaults(run=_migrate)
    return parser


@contextmanager
def _database(settings: Settings) -> Iterator[Settings]:
    """Yield the settings with a database: the configured one, or an embedded one that runs meanwhile."""
    secret = SecretStr(settings.secret())
    if settings.database_url is not None:
        yield settings.model_copy(update={"secret_key": secret})
        return
    mongo = EmbeddedMongo(settings.data_dir)
    url = SecretStr(mongo.start())
    try:
        yield settings.model_copy(update={"secret_key": secret, "database_url": url})
    finally:
        with _ignored_signals():
            mongo.stop()


@contextmanager
def _ignored_signals() -> Iterator[None]:
    """Do what must not be interrupted: a second SIGTERM or Ctrl-C changes nothing meanwhile."""
    handlers = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


@contextmanager
def _database_in_use(settings: Settings) -> Iterator[Settings]:
    """Yield the same for a command that may run beside a planner, whose embedded database it then uses."""
    if settings.database_url is None and (url := running_url(settings.data_dir)) is not None:
        secret = SecretStr(settings.secret())
        yield settings.model_copy(update={"secret_key": secret, "database_url": SecretStr(url)})
        return
    with _database(settings) as ready:
        yield ready


def _with_services(work: Callable[[Services], Awaitable[T]]) -> T:
    """Return the result of `work`, called with the services of an application that serves nobody."""

    async def run(ready: Settings) -> T:
        await recover(ready, exclusive=False)
        app = create_app(ready)
        async with app.router.lifespan_context(app):
            services: Services = app.state.services
            return await work(services)

    with _database_in_use(load()) as ready:
        return asyncio.run(run(ready))


def _serve(options: argparse.Namespace) -> int:
    given = {"host": options.host, "port": options.port, "workers": options.workers}
    settings = load(**{name: value for name, value in given.items() if value is not None})
    if settings.workers > 1 and hasattr(signal, "SIGHUP"):
        # It replaces the workers; until there are some, it must not end the planner.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    raise_file_limit()
    limit_arenas()
    request_log = configure_logs(settings.log_level, settings.log_format)
    for sentence in find_misspelt_names():
        log.warning(sentence)
    # The port is opened before anything else starts, so that one in use is reported at once.
    with (
        open_listener(settings.host, settings.port) as listener,
        contextlib.suppress(KeyboardInterrupt),
        _database(settings) as ready,
    ):
        check_tracing(settings)
        prepare_outbox(settings)
        asyncio.run(recover(ready, exclusive=True, workers=settings.workers))
        if settings.workers == 1:
            app = create_app(ready, request_log=request_log, tracing=start_tracing(ready))
            _AnnouncingServer(configure_server(settings, freeze_gc(app)), settings).run(sockets=[listener])
        else:
            _announce(settings)
            return run_workers(settings, ready, listener)
    return 0


class _AnnouncingServer(Server):
    """A server that prints its address as soon as it serves requests."""

    def __init__(self, config: uvicorn.Config, settings: Settings) -> None:
        super().__init__(config)
        self._settings = settings

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if hasattr(signal, "SIGHUP"):
            # A terminal that is closed sends it. By default it would end this process at once, and not its database.
            signal.signal(signal.SIGHUP, self.handle_exit)
        if self.started:
            _announce(self._settings)


def _announce(settings: Settings) -> None:
    if settings.database_url is None:
        place = f"{settings.data_dir.resolve()} (embedded MongoDB, for development: set DATABASE_URL in production)"
    else:
        place = "the MongoDB of DATABASE_URL"
    print(
        f"The planner is at  {settings.base_url}\n"
        f"Its API page       {settings.base_url}/docs\n"
        f"Its data           {place}\n"
        "Ctrl-C stops it.",
        flush=True,
    )


def _check(options: argparse.Namespace) -> int:
    settings = load()
    # A secret that does not exist yet is created by `serve`, not here.
    if settings.secret_key or settings.database_url or (settings.data_dir / "secret").exists():
        settings.secret()
    check_room(settings)
    check_outbox(settings)
    check_tracing(settings)
    for sentence in find_misspelt_names():
        print(sentence)
    if settings.database_url is None:
        print("The settings are valid.")
        print(f"No DATABASE_URL: the embedded MongoDB will be used, in {settings.data_dir.resolve()}.")
        return 0
    transactions, waiting = asyncio.run(inspect_database(settings, wait=CHECK_SECONDS))
    print("The settings are valid.")
    print(
        "The database is reachable" + ("." if transactions else ", but it is not a replica set: for development only.")
    )
    if waiting:
        print(f"It needs {', '.join(waiting)}: run `python -m planner migrate`.")
    return 1 if waiting else 0


def _back_up(options: argparse.Namespace) -> int:
    with _database_in_use(load()) as ready:
        asyncio.run(inspect_database(ready, reads_only=True))
        taken_at, documents = write_backup(database_url_of(ready), options.file, VERSION, _Progress())
    print(f"{options.file} has {documents:,} documents: everything that was acknowledged before {taken_at:%FT%TZ}.")
    print("It does not contain SECRET_KEY. Without the same one, everybody has to sign in again.")
    return 0


def _restore(options: argparse.Namespace) -> int:
    with _database(load()) as ready:
        asyncio.run(inspect_database(ready))
        taken_at, documents = restore_backup(database_url_of(ready), options.file, _Progress())
    print(f"{documents:,} documents were restored, as of {taken_at:%FT%TZ}. You can start the planner now.")
    return 0


class _Progress:
    """Prints how far a backup is, at most once a second."""

    def __init__(self) -> None:
        self._printed_at = time.monotonic()

    def __call__(self, collection: str, done: int) -> None:
        if time.monotonic() - self._printed_at >= 1:
            print(f"{collection}: {done:,} documents", file=sys.stderr)
            self._printed_at = time.monotonic()


def _show_statistics(options: argparse.Namespace) -> int:
    async def work(services: Services) -> None:
        stored, waiting = await services.statistics.count_stored(), await services.statistics.count_waiting()
        for name, number in [*stored.items(), *((f"waiting {queue}", number) for queue, number in waiting.items())]:
            print(f"{number:>12,}  {name}")

    _with_services(work)
    return 0


def _create_admin(options: argparse.Namespace) -> int:
    async def work(services: Services) -> str:
        if (user := await services.administration.make_admin(options.email)) is not None:
            done = f"{options.email} is an admin now; its password stays as it is."
            if user.email_verified:
                return done
            return f"{done}\nIts address is not verified: make sure that the account belongs to the person you mean."
        await services.accounts.create_admin(options.email, _ask_password())
        return f"{options.email} has an account now, and is an admin."

    print(_with_services(work))
    return 0


def _ask_password() -> str:
    """Return a password that is entered twice at the terminal, or a line of standard input without one."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != password:
        raise ConfigurationError("The two passwords differ. Nothing was changed.")
    return password


def _send_due(options: argparse.Namespace) -> int:
    print(f"{_with_services(lambda services: services.mail_delivery.send_due())} sent.")
    return 0


def _delete_due(options: argparse.Namespace) -> int:
    _with_services(lambda services: services.deletion.finish_all(lambda left: print(f"{left:,} accounts are left.")))
    return 0


def _migrate(options: argparse.Namespace) -> int:
    with _database_in_use(load()) as ready:

        async def work() -> list[str]:
            database = await open_checked_database(ready)
            try:
                return await migrate(database, back=options.back)
            finally:
                await database.close()

        done = asyncio.run(work())
    print("\n".join(f"{'undone' if options.back else 'done'}: {name}" for name in done) or "Nothing to do.")
    return 0
