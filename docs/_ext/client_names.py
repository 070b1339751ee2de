"""Lists the methods of resources under the names that users write: `client.users.get`, not the private class's.

Anchors, the index, the search and the inventory for other projects have these names; `:py:meth:` finds them.
"""

from __future__ import annotations

import re
from typing import Any, Final

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

from redcore import Client

RESOURCES: Final = ("users", "products", "workflows", "files", "api_keys", "applications", "auth")
CLASSES: Final = {f"{(owner := getattr(Client, name)).__module__}.{owner.__qualname__}": name for name in RESOURCES}


def public(name: str) -> str | None:
    """The public name of a resource or of its method; None if it is something else."""
    for private, resource in CLASSES.items():
        if name == private or name.startswith(f"{private}."):
            return f"client.{resource}{name.removeprefix(private)}"
    return None


def rename(app: Sphinx, doctree: nodes.document) -> None:
    """Give each signature of a resource its public name, in the page and in the domain."""
    objects = app.env.domains.python_domain.objects
    for signature in doctree.findall(addnodes.desc_signature):
        for old in list(signature["ids"]):
            if (name := public(old)) is None:
                continue
            signature["ids"] = [name]
            objects[name] = objects.pop(old)._replace(node_id=name)
            for shown in list(signature.findall(addnodes.desc_name)):
                shown.replace_self(addnodes.desc_name(name, name))
            for annotation in list(signature.findall(addnodes.desc_annotation))[:1]:
                if annotation.astext().startswith("class"):
                    annotation.parent.remove(annotation)
    for index in doctree.findall(addnodes.index):
        index["entries"] = [renamed(*entry) for entry in index["entries"]]


def renamed(kind: str, text: str, target: str, *rest: Any) -> tuple[Any, ...]:
    """An entry of the index, under the public name if it is a resource's."""
    name = public(target)
    if name is None:
        return kind, text, target, *rest
    return kind, re.sub(r"^\S+?(\(\))? \(.*\)$", rf"{name}\1", text), name, *rest


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the hook."""
    app.connect("doctree-read", rename)
    return {"parallel_read_safe": True}
