"""A planner that gets the signal to stop finishes what it has begun, and sends clients elsewhere first."""

import os
import re
import signal
import socket
from pathlib import Path

import httpx
import pytest

from tests.support.mongod import embedded_pid
from tests.support.processes import worker_processes
from tests.support.servers import running
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.real_server("it ends real processes"), pytest.mark.slow]


@pytest.mark.parametrize("arguments", [(), ("--workers", "2")], ids=["alone", "with_workers"])
def test_after_sigterm_it_says_that_it_is_not_ready_and_still_serves(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    with running(tmp_path / "data", arguments, DRAIN_SECONDS="5") as server, httpx.Client(timeout=30) as client:
        assert server.process is not None
        assert "connection" not in client.get(f"{server.root}/healthz").headers
        for worker in worker_processes(server) or {server.process.pid}:
            os.kill(worker, signal.SIGTERM)
        wait_until(lambda: httpx.get(f"{server.root}/readyz", timeout=30).status_code == 503)
        response = client.get(f"{server.root}/healthz")
        assert (response.status_code, response.headers["connection"]) == (200, "close")
        assert server.stop() == 0
        assert "Traceback" not in server.output


def test_a_request_whose_body_never_comes_does_not_hold_up_the_end(tmp_path: Path) -> None:
    with running(tmp_path / "data", DRAIN_SECONDS="0") as server:
        with socket.create_connection(("127.0.0.1", server.port)) as wire:
            head = b"POST /api/v1/auth/signup HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            wire.sendall(head + b'Content-Length: 100\r\n\r\n{"email"')
            httpx.get(f"{server.root}/healthz")
            assert server.stop() == 0
            assert b" 503 " in wire.recv(4096)
        assert "Traceback" not in server.output


def test_a_terminal_that_is_closed_stops_the_planner_and_its_database(tmp_path: Path) -> None:
    with running(tmp_path / "data") as server:
        database = embedded_pid(server.data_dir)
        assert server.stop(signal.SIGHUP) == 0
        assert not Path(f"/proc/{database}").exists()
        assert "Traceback" not in server.output


def test_workers_are_replaced_one_after_the_other_on_sighup(tmp_path: Path) -> None:
    with running(tmp_path / "data", ("--workers", "2")) as server:
        assert server.process is not None
        before = worker_processes(server)
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: not worker_processes(server) & before and len(worker_processes(server)) == 2)
        assert httpx.get(f"{server.root}/readyz", timeout=30).status_code == 200
        assert "Traceback" not in server.output


def test_the_log_says_when_the_workers_begin_to_be_replaced_and_when_all_old_ones_have_ended(tmp_path: Path) -> None:
    with running(tmp_path / "data", ("--workers", "2")) as server:
        assert server.process is not None
        before = worker_processes(server)
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "all workers are new ones" in server.output)
        assert not worker_processes(server) & before
        assert server.output.count("the workers are replaced by new ones") == 1
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: server.output.count("all workers are new ones") == 2)
        assert server.output.count("the workers are replaced by new ones") == 2


def test_a_worker_that_hangs_is_killed_and_replaced_and_the_log_says_why(tmp_path: Path) -> None:
    with running(tmp_path / "data", ("--workers", "2")) as server:
        hanging = min(worker_processes(server))
        os.kill(hanging, signal.SIGSTOP)
        wait_until(lambda: f"worker {hanging} ended by signal 9" in server.output)
        assert re.search(rf"worker {hanging} has not responded for [5-9] s and is killed", server.output)


def test_old_workers_that_hang_are_killed_while_workers_are_replaced(tmp_path: Path) -> None:
    with running(tmp_path / "data", ("--workers", "2"), GRACE_SECONDS="1") as server:
        assert server.process is not None
        before = worker_processes(server)
        server.process.send_signal(signal.SIGHUP)
        for worker in before:
            os.kill(worker, signal.SIGSTOP)
        wait_until(lambda: "all workers are new ones" in server.output)
        assert not worker_processes(server) & before
        assert len(worker_processes(server)) == 2


def test_a_worker_that_is_taken_away_while_workers_are_replaced_is_not_replaced(tmp_path: Path) -> None:
    with running(tmp_path / "data", ("--workers", "2")) as server:
        assert server.process is not None
        before = worker_processes(server)
        server.process.send_signal(signal.SIGHUP)
        server.process.send_signal(signal.SIGTTOU)
        wait_until(lambda: not worker_processes(server) & before and len(worker_processes(server)) == 1)
        (worker,) = worker_processes(server)
        server.process.send_signal(signal.SIGTTIN)
        wait_until(lambda: len(worker_processes(server)) == 2)
        assert worker in worker_processes(server)
        assert httpx.get(f"{server.root}/readyz", timeout=30).status_code == 200
        assert server.stop() == 0
        assert "Traceback" not in server.output


def test_the_end_and_the_return_of_a_worker_are_logged_once_each(tmp_path: Path) -> None:
    with running(tmp_path / "data", ("--workers", "2")) as server:
        killed = min(worker_processes(server))
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: "serves requests" in server.output)
        assert server.output.count(f"worker {killed} ended by signal 9") == 1
        assert server.output.count("serves requests") == 1
