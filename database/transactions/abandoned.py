"""Transactions of processes that were killed or hang are ended.

A process that is killed in the middle of a transaction leaves it open on the server, which ends it after a minute
(`transactionLifetimeLimitSeconds`). Until then, whoever writes one of its documents has to wait, and then fails. The
other processes look for such transactions, and end them much sooner.
"""

import logging

from database.connection import APPLICATION, Database

log = logging.getLogger("planner.database")
# Between the commands of a transaction there are a few milliseconds of work in a thread. If a process that is merely
# slow loses its transaction all the same, the driver does it again: nothing is lost.
IDLE_SECONDS = 2.0


async def end_abandoned_transactions(database: Database) -> None:
    """End the transactions of planners that nobody has worked on for IDLE_SECONDS altogether.

    A user of the server sees and ends only the sessions of the same user, and needs no privilege for it.
    """
    # Not in one of the threads that requests use: they may all be waiting for such a transaction.
    admin = database.handle.client.admin
    shown = {"allUsers": False, "idleConnections": False, "idleSessions": True}
    abandoned = {
        "type": "idleSession",
        "appName": APPLICATION,
        "transaction.timeInactiveMicros": {"$gte": int(IDLE_SECONDS * 1_000_000)},
    }
    pipeline = [{"$currentOp": shown}, {"$match": abandoned}, {"$project": {"lsid": 1}}]
    found = await admin.command("aggregate", 1, pipeline=pipeline, cursor={})
    sessions = [{"id": each["lsid"]["id"]} for each in found["cursor"]["firstBatch"]]
    if sessions:
        await admin.command("killSessions", sessions)
        log.warning("ended transactions of processes that were killed or hang: %d", len(sessions))
