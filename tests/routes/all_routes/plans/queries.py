"""Values of the query parameters of routes that read, and their combinations."""

import random
from collections.abc import Iterator
from itertools import product
from urllib.parse import urlencode

from tests.support.openapi.operations import Operation

HERE = "tests/routes/all_routes/plans/queries.py"
# Of the many combinations of a route, so many are tried.
MAX_COMBINATIONS = 70
# The parameters by their names, of any route. None leaves a parameter out.
VALUES: dict[str, tuple[str | None, ...]] = {
    "limit": ("2",),
    "cursor": (None,),
    "since": (None,),
    "scope": ("mine", "public", "all"),
    "from": (None, "2026-12-14T00:00:00Z"),
    "to": (None, "2026-12-21T00:00:00Z"),
    "tag": (None, "tag7"),
    "near": (None, "52.52,13.405,5"),
    "q": (None, "choir", '"choir rehearsal"'),
    "user": (None,),
    "account": (None,),
    "role": (None, "admin"),
    "disabled": (None, "true"),
    "event": (None, "sign-in"),
    # What a provider, or a page that uses one, sends: it is no part of a query.
    **dict.fromkeys(("redirect_uri", "state", "code", "error", "error_description", "iss"), (None,)),
    **dict.fromkeys(("code_challenge", "code_challenge_method"), (None,)),
}
OWN_VALUES: dict[str, dict[str, tuple[str | None, ...]]] = {
    "GET /api/v1/users": {"q": (None, "ada")},
}


def list_queries(operation: Operation) -> Iterator[str]:
    """Yield the queries with which a route is asked; if there are too many combinations, some of them."""
    names = list(operation.parameters("query"))
    values = VALUES | OWN_VALUES.get(str(operation), {})
    assert not (unknown := [name for name in names if name not in values]), f"{HERE} has no values for {unknown}"
    found = list(product(*(values[name] for name in names)))
    for combination in random.Random(1).sample(found, min(len(found), MAX_COMBINATIONS)):
        pairs = [(name, value) for name, value in zip(names, combination, strict=True) if value is not None]
        yield urlencode(pairs)
