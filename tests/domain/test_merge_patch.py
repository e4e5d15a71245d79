"""JSON merge patch: the table of RFC 7396, appendix A, and what it implies."""

from typing import Any

import orjson
import pytest

from planner.domain.merge_patch import apply_merge_patch

APPENDIX_A = [
    ('{"a":"b"}', '{"a":"c"}', '{"a":"c"}'),
    ('{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'),
    ('{"a":"b"}', '{"a":null}', "{}"),
    ('{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'),
    ('{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'),
    ('{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'),
    ('{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'),
    ('{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'),
    ('["a","b"]', '["c","d"]', '["c","d"]'),
    ('{"a":"b"}', '["c"]', '["c"]'),
    ('{"a":"foo"}', "null", "null"),
    ('{"a":"foo"}', '"bar"', '"bar"'),
    ('{"e":null}', '{"a":1}', '{"e":null,"a":1}'),
    ("[1,2]", '{"a":"b","c":null}', '{"a":"b"}'),
    ("{}", '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'),
]


@pytest.mark.parametrize(("original", "patch", "result"), APPENDIX_A)
def test_each_example_of_the_rfc_has_the_printed_result(original: str, patch: str, result: str) -> None:
    assert apply_merge_patch(orjson.loads(original), orjson.loads(patch)) == orjson.loads(result)


def test_a_patch_does_not_modify_its_target() -> None:
    original: dict[str, Any] = {"a": {"b": 1, "c": 2}, "d": [1]}
    apply_merge_patch(original, {"a": {"b": None}, "d": None})
    assert original == {"a": {"b": 1, "c": 2}, "d": [1]}
