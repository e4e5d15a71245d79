"""Errors of the driver in words: why the database cannot be used, and what to do about it."""

import logging
import math
import re
import ssl
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import unquote

from pymongo.errors import OperationFailure, PyMongoError

from database.errors import is_unavailable

log = logging.getLogger("planner.database")

# How long a failure is waited for that hardly ever ends by itself: a name may be a moment late in the network of
# containers that have just been started.
SHORT_SECONDS = 5.0


class Failure(NamedTuple):
    """Why the database cannot be used, and what to do: two clauses, without a full stop.

    `patience` is the number of seconds for which it may end by itself: 0 if it never does.
    """

    reason: str
    advice: str
    patience: float = 0.0
    is_about_url: bool = False

    def describe(self, place: str, waited: float = 0.0) -> str:
        """Return the failure as a sentence about the database at this place (if known), or about its URL."""
        if self.is_about_url:
            subject = "DATABASE_URL cannot be used"
        elif waited:
            subject = f"No database at {place} after {waited:.0f} s"
        else:
            subject = f"The database{place and ' at '}{place} cannot be used"
        return f"{subject}: {self.reason}; {self.advice}."


NOT_LISTENING = Failure("nothing listens there", "start MongoDB, or correct the address in DATABASE_URL", math.inf)
SILENT = Failure("it does not respond", "check the address in DATABASE_URL, MongoDB, and the network", math.inf)
CLOSING = Failure("it closes each connection", "read the log of MongoDB", math.inf)
FOREIGN = Failure(
    "what responds there is not MongoDB", "correct the host and the port in DATABASE_URL", patience=SHORT_SECONDS
)
NO_PRIMARY = Failure(
    "it has no primary yet", "start a majority of the members of its replica set, or read rs.status()", math.inf
)
NOT_THE_PRIMARY = Failure(
    "it is not the primary of its replica set", "leave directConnection out of DATABASE_URL", math.inf
)
NOT_INITIATED = Failure("its replica set is not initiated", "run rs.initiate() in mongosh once", math.inf)
TOO_OLD = Failure("it is older than MongoDB 6", "use MongoDB 6 or newer")
NO_TLS = Failure("it does not speak TLS", "take tls=true out of DATABASE_URL, or turn TLS on in MongoDB")
NEEDS_TLS = Failure("it requires TLS", "add tls=true to DATABASE_URL")
NEEDS_CERTIFICATE = Failure(
    "it closes each connection after the TLS handshake",
    "if it requires certificates of its clients, set tlsCertificateKeyFile in DATABASE_URL",
    patience=SHORT_SECONDS,
)
NOT_TRUSTED = Failure(
    "its TLS certificate is not trusted",
    "set tlsCAFile in DATABASE_URL to a file with the certificate of the authority that has signed it",
)
EXPIRED = Failure("its TLS certificate has expired", "renew it")
OTHER_NAME = Failure(
    "its TLS certificate is for another name", "use a name in DATABASE_URL that the certificate contains"
)
REFUSED_SIGN_IN = Failure(
    "it refuses the user or the password",
    "correct them in DATABASE_URL, or set authSource to the database in which the user was created",
)
OTHER_MECHANISM = Failure("it does not offer this way of signing in", "correct authMechanism in DATABASE_URL")
NEEDS_USER = Failure("it requires a user", "add a user and a password to DATABASE_URL, as in mongodb://USER:PASSWORD@…")
DISK_FULL = Failure("its disk is full", "free some space on it")

_BY_CODE = {11: REFUSED_SIGN_IN, 18: REFUSED_SIGN_IN, 8000: REFUSED_SIGN_IN, 334: OTHER_MECHANISM, 14031: DISK_FULL}
_UNAUTHORIZED = 13
_NOT_AUTHORIZED_ON = re.compile(r"not authorized on (\S+) to execute")
# What the error of a connection says, in lower case; the first pattern that is found counts.
_BY_TEXT = (
    (r"(hostname|ip address) mismatch|doesn't match", OTHER_NAME),
    (r"certificate has expired", EXPIRED),
    (r"certificate_verify_failed", NOT_TRUSTED),
    (r"alert.*certificate|certificate.*required", NEEDS_CERTIFICATE),
    (r"\bssl\b|handshake", NO_TLS),
    (r"connection refused|no such file", NOT_LISTENING),
    (r"connection closed|connection reset|broken pipe", CLOSING),
    (r"response id|message length|opcode|unpack|not bson|invalid bson", FOREIGN),
)
_UNKNOWN_NAME = re.compile(r"name or service not known|nodename nor servname|no address associated", re.IGNORECASE)
_NO_NAME_SERVER = re.compile(r"temporary failure in name resolution", re.IGNORECASE)


def explain_connection(error: Exception | None, host: str, *, is_named_in_url: bool) -> Failure:
    """Return why no connection to a host could be made, by the error of the driver; None is no response."""
    text = "" if error is None else str(error)
    if _UNKNOWN_NAME.search(text) or _NO_NAME_SERVER.search(text):
        patience = math.inf if _NO_NAME_SERVER.search(text) else SHORT_SECONDS
        if is_named_in_url:
            return Failure(f"the name {host} cannot be resolved", "correct the host in DATABASE_URL", patience)
        return Failure(
            f"it has the member {host}, whose name cannot be resolved here",
            "make the name known here, or give the member another one with rs.reconfig()",
            patience,
        )
    if "replica set named" in text:
        return Failure("it belongs to another replica set", "correct replicaSet in DATABASE_URL, or leave it out")
    return next((failure for pattern, failure in _BY_TEXT if re.search(pattern, text.lower())), SILENT)


def explain_operation(error: PyMongoError) -> Failure:
    """Return why the server refuses an operation, or does not respond to it."""
    if not isinstance(error, OperationFailure):
        return SILENT
    text = str((error.details or {}).get("errmsg", ""))
    if error.code == _UNAUTHORIZED:
        return NEEDS_USER if "requires authentication" in text else _lacks_rights(text)
    if error.code in _BY_CODE:
        return _BY_CODE[error.code]
    if "No space left" in text:
        return DISK_FULL
    if is_unavailable(error):
        return SILENT
    # What is in braces may be a command with values of documents.
    said = text.partition("{")[0].strip(" :") or "it does not say why"
    return Failure(f"it refuses an operation ({said}, code {error.code})", "read the log of MongoDB")


def _lacks_rights(text: str) -> Failure:
    said = _NOT_AUTHORIZED_ON.match(text)
    name = said[1] if said else "that DATABASE_URL names"
    return Failure("its user lacks rights", f"give the user the role readWrite on the database {name}")


def explain_url(error: Exception, url: str) -> Failure:
    """Return why DATABASE_URL, or a file that it names, cannot be used; no part of a user or password is repeated."""
    cause = type(error.__cause__)
    if cause.__module__.startswith("dns."):
        host = url.partition("://")[2].rpartition("@")[2].partition("/")[0].partition("?")[0]
        if cause.__name__ in ("NXDOMAIN", "NoAnswer"):
            advice = "correct the name, or begin with mongodb:// to name the servers themselves"
            return Failure(f"the name {host} has no SRV record", advice, is_about_url=True)
        return Failure(f"the SRV record of {host} cannot be looked up", "check the name servers", math.inf, True)
    if "wire version" in str(error):
        return TOO_OLD
    if isinstance(error, ssl.SSLError):
        advice = "name a file with PEM certificates in tlsCAFile, and one with a certificate and its key in "
        return Failure("a file that it names has no certificate", f"{advice}tlsCertificateKeyFile", is_about_url=True)
    if isinstance(error, OSError):
        reason = f"the file {error.filename} cannot be read ({error.strerror})"
        return Failure(reason, "correct its path, or who may read it", is_about_url=True)
    text = str(error).rstrip(".?")
    # The hint of the driver about escaping is for programmers; the advice says the same.
    is_hidden = "escaped" in text or any(part in text for part in _secret_parts(url))
    said = "" if is_hidden else f" ({text})"
    encoding = ", and write special characters of the user and the password percent-encoded, such as %40 for @"
    advice = f"correct it{encoding if '@' in url else ''}"
    return Failure(f"it is not a valid address of a MongoDB server{said}", advice, is_about_url=True)


@contextmanager
def log_ignored_options(url: str, logged: set[str]) -> Iterator[None]:
    """Log what the driver warns of while it reads a URL: options that it ignores.

    What is in `logged` has been logged before; what is logged now is added to it.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        # It is no option that Python warns of when the driver leaves a connection to the garbage collector.
        warnings.simplefilter("ignore", ResourceWarning)
        yield
    for warning in caught:
        text = str(warning.message).rstrip(".")
        if text not in logged and not any(part in text for part in _secret_parts(url)):
            log.warning("an option of DATABASE_URL is ignored: %s", text)
        logged.add(text)


def _secret_parts(url: str) -> set[str]:
    """Return what a message must not contain: pieces of the user and the password, also if the URL is not valid."""
    rest = url.partition("://")[2]
    secrets = [rest.rpartition("@")[0], *re.findall(r"(?i)[?&][^=&]*(?:password|properties)=([^&]*)", rest)]
    texts = [text for secret in secrets for text in (secret, unquote(secret))]
    return {part for text in texts for part in re.split(r"[:/@?&=,]", text)} - {""}
