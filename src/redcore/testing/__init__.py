"""For tests of code that uses RedCore: a real reference server, and the laboratory that makes it misbehave.

Needs the extras `testing` and `server`. Not imported by `import redcore`.
"""

from redcore.testing.lab import Fault, Lab, Mail, SeenRequest
from redcore.testing.server import ReferenceServer, ServerError

__all__ = ["Fault", "Lab", "Mail", "ReferenceServer", "SeenRequest", "ServerError"]
