"""For tests of code that uses RedCore: the platform in process, a real reference server, factories for the models.

`FakeBlueRound` needs the extra `testing`, `ReferenceServer` also `server`. Not imported by `import redcore`; each name
is loaded on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the table of public names; openapi/generate.py renders `_HOMES` and `__all__` from it
    from redcore.exceptions import ReferenceServerError
    from redcore.testing._fake.blueround import FakeBlueRound
    from redcore.testing.credentials import ApiKeyArguments, ApplicationArguments
    from redcore.testing.factories import make
    from redcore.testing.fake_time import FakeTime
    from redcore.testing.lab import Fault, Lab, Mail, PendingFault, SeenRequest
    from redcore.testing.server import ReferenceServer

_HOMES = {
    "ApiKeyArguments": "redcore.testing.credentials",
    "ApplicationArguments": "redcore.testing.credentials",
    "FakeBlueRound": "redcore.testing._fake.blueround",
    "FakeTime": "redcore.testing.fake_time",
    "Fault": "redcore.testing.lab",
    "Lab": "redcore.testing.lab",
    "Mail": "redcore.testing.lab",
    "PendingFault": "redcore.testing.lab",
    "ReferenceServer": "redcore.testing.server",
    "ReferenceServerError": "redcore.exceptions",
    "SeenRequest": "redcore.testing.lab",
    "make": "redcore.testing.factories",
}
"""The module of each public name."""

__all__ = [
    "ApiKeyArguments",
    "ApplicationArguments",
    "FakeBlueRound",
    "FakeTime",
    "Fault",
    "Lab",
    "Mail",
    "PendingFault",
    "ReferenceServer",
    "ReferenceServerError",
    "SeenRequest",
    "make",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
