"""The programs of examples/."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

from tests.docs.markdown_blocks import REPOSITORY

EXAMPLES = REPOSITORY / "examples"


def load(name: str) -> ModuleType:
    """Import an example as its framework would."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
