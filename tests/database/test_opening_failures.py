"""What the driver reports becomes a reason and an advice, which contain no user, no password and no values."""

import math

import pytest
from pymongo.errors import (
    AutoReconnect,
    ConfigurationError,
    InvalidURI,
    NetworkTimeout,
    OperationFailure,
    ServerSelectionTimeoutError,
)

from database.opening.checks import check_hello
from database.opening.failures import Failure, explain_connection, explain_operation, explain_url


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("db:1: timed out (configured timeouts: connectTimeoutMS: 5000.0ms)", "it does not respond"),
        ("db:1: [Errno 111] Connection refused", "nothing listens there"),
        ("/run/mongod.sock: [Errno 2] No such file or directory", "nothing listens there"),
        ("[Errno 8] nodename nor servname provided, or not known", "the name db cannot be resolved"),
        ("[Errno -3] Temporary failure in name resolution", "the name db cannot be resolved"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate has expired (_ssl.c:1006)", "its TLS certificate has expired"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] unable to get local issuer", "its TLS certificate is not trusted"),
        ("Hostname mismatch, certificate is not valid for 'db'", "its TLS certificate is for another name"),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number", "it does not speak TLS"),
        ("[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13", "it closes each connection after the TLS handshake"),
        ("Got response id 808465440 but expected 660260756", "what responds there is not MongoDB"),
    ],
)
def test_a_connection_that_fails_has_a_reason(said: str, reason: str) -> None:
    assert explain_connection(AutoReconnect(said), "db", is_named_in_url=True).reason == reason


def test_a_member_that_only_the_replica_set_names_is_said_to_be_one() -> None:
    failure = explain_connection(AutoReconnect("Name or service not known"), "mongo-2", is_named_in_url=False)
    assert failure.reason == "it has the member mongo-2, whose name cannot be resolved here"


def test_what_may_end_by_itself_is_worth_to_wait_for() -> None:
    connections = ("timed out", "Connection refused", "connection closed", "Temporary failure in name resolution")
    for said in connections:
        assert explain_connection(AutoReconnect(said), "db", is_named_in_url=True).patience == math.inf
    for error in (NetworkTimeout("x"), ServerSelectionTimeoutError("x"), OperationFailure("shutting down", 91)):
        assert explain_operation(error).patience == math.inf


@pytest.mark.parametrize(
    ("code", "said", "reason"),
    [
        (18, "Authentication failed.", "it refuses the user or the password"),
        (8000, "bad auth : Authentication failed.", "it refuses the user or the password"),
        (13, "command find requires authentication", "it requires a user"),
        (13, "not authorized on planner to execute command { find: 1 }", "its user lacks rights"),
        (14031, "available disk space of 1 bytes is less", "its disk is full"),
        (1, "28: No space left on device", "its disk is full"),
        (86, "index exists: { a: whisper }", "it refuses an operation (index exists, code 86)"),
    ],
)
def test_an_operation_that_is_refused_has_a_reason(code: int, said: str, reason: str) -> None:
    failure = explain_operation(OperationFailure(said, code, {"errmsg": said}))
    assert (failure.reason, failure.patience) == (reason, 0)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("not authorized on restored to execute command { find: 'users', $db: 'restored' }", "restored"),
        ("user is not allowed to do action [find]", "that DATABASE_URL names"),
    ],
)
def test_the_database_on_which_a_user_lacks_rights_is_named(said: str, name: str) -> None:
    failure = explain_operation(OperationFailure(said, 13, {"errmsg": said}))
    assert failure.advice == f"give the user the role readWrite on the database {name}"


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("mongodb://ada:whi/sper@db/planner", "sper"),
        ("mongodb://ada:pass%2Fwhisper@db/planner", "whisper"),
        ("mongodb://ada:pass%2Fwhisper@db/planner", "pass%2Fwhisper"),
        ("mongodb://db/?authMechanismProperties=AWS_SESSION_TOKEN:whisper", "whisper"),
        ("mongodb://db/?tls=true&tlsCertificateKeyFilePassword=whisper", "whisper"),
    ],
)
def test_a_part_of_the_credentials_is_not_repeated(url: str, part: str) -> None:
    for error in (InvalidURI(f"Bad database name: {part}@db"), ValueError(part)):
        assert part not in explain_url(error, url).describe("db")


def test_what_the_driver_says_about_options_is_repeated() -> None:
    failure = explain_url(ConfigurationError("Cannot specify multiple hosts."), "mongodb://one,two")
    assert failure.reason == "it is not a valid address of a MongoDB server (Cannot specify multiple hosts)"


def test_a_server_is_used_only_as_a_primary() -> None:
    def reason(**hello: object) -> str | None:
        failure: Failure | None = check_hello({"maxWireVersion": 17} | hello)
        return failure and failure.reason

    assert reason(isWritablePrimary=True) is None
    assert reason(msg="isdbgrid") is None
    assert reason(isreplicaset=True) == "its replica set is not initiated"
    assert reason(secondary=True, primary="db:1") == "it is not the primary of its replica set"
    assert reason(secondary=True) == "it has no primary yet"
    assert reason(isWritablePrimary=True, maxWireVersion=13) == "it is older than MongoDB 6"
