"""For tests of code that uses RedCore: a real reference server, and the laboratory that makes it misbehave.

Needs the extras `testing` and `server`. Not imported by `import redcore`.
"""

from redcore.exceptions import ReferenceServerError
from redcore.testing.lab import Fault, Lab, Mail, SeenRequest
from redcore.testing.server import ApiKeyArguments, ApplicationArguments, ReferenceServer

__all__ = [
    "ApiKeyArguments",
    "ApplicationArguments",
    "Fault",
    "Lab",
    "Mail",
    "ReferenceServer",
    "ReferenceServerError",
    "SeenRequest",
]
