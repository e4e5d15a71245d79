"""Large writes in pieces, each small enough for a transaction of its own."""

from dataclasses import replace
from typing import cast

from database.documents import StoredDocument
from database.queries import Filter, only
from database.reads import find
from database.writes import Delete, Update


async def limit_write(write: Delete | Update, limit: int) -> Delete | Update | None:
    """Return a write of many documents that is limited to the first `limit` of them; None when there is none left.

    To do all of it, call this again after each piece is committed. An update has to be one after which its documents
    do not match any more.
    """
    document = cast("type[StoredDocument]", write.of)
    found = await find(document, write.match, limit=limit, fields=only("_id"))
    if not found:
        return None
    these: Filter = {"_id": {"$in": [each.id for each in found]}}
    return replace(write, match={"$and": [write.match, these]})
