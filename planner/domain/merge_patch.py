"""JSON merge patch (RFC 7396)."""

from typing import Any


def apply_merge_patch(target: Any, patch: Any) -> Any:
    """Return the target with the patch applied: null removes a member, an absent one stays, objects are merged."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = apply_merge_patch(merged.get(name), value)
    return merged
