"""Hooks of schemathesis for facts about this API that neither the spec nor its configuration can express."""

from __future__ import annotations

from typing import Any

import schemathesis


@schemathesis.hook
def filter_body(context: schemathesis.HookContext, body: Any) -> bool:
    """Upload under no name that is not text: every field of a form is, so null arrives as the valid name "null".

    schemathesis knows this of forms, but not of those that carry bytes, which its validator cannot read.
    """
    is_upload = context.operation is not None and context.operation.label == "POST /v1/files"
    return not (is_upload and isinstance(body, dict)) or isinstance(body.get("name", ""), str)


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: Any, **_: Any) -> None:
    """Send no invented cursor: the spec cannot express that only the server makes valid ones.

    Where a request is meant to be invalid it may stay.
    """
    if case.meta is None or not case.meta.generation.mode.is_negative:
        (case.query or {}).pop("cursor", None)
