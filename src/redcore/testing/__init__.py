"""For tests of code that uses RedCore: the platform in process, a real reference server, factories for the models.

`FakeBlueRound` needs the extra `testing`, `ReferenceServer` also `server`. Not imported by `import redcore`; each name
is loaded on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from redcore.exceptions import ReferenceServerError
    from redcore.testing._fake.blueround import FakeBlueRound
    from redcore.testing.credentials import ApiKeyArguments, ApplicationArguments
    from redcore.testing.factories import make
    from redcore.testing.fake_time import FakeTime
    from redcore.testing.lab import Fault, Lab, Mail, PendingFault, SeenRequest
    from redcore.testing.server import ReferenceServer

_HOMES = {
    "ApiKeyArguments": "credentials",
    "ApplicationArguments": "credentials",
    "FakeBlueRound": "_fake.blueround",
    "FakeTime": "fake_time",
    "Fault": "lab",
    "Lab": "lab",
    "Mail": "lab",
    "PendingFault": "lab",
    "ReferenceServer": "server",
    "ReferenceServerError": "server",
    "SeenRequest": "lab",
    "make": "factories",
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
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
