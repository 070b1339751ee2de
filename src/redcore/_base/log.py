"""The logger of the SDK; silent until the application sets up logging."""

from __future__ import annotations

import logging

logger = logging.getLogger("redcore")
logger.addHandler(logging.NullHandler())
