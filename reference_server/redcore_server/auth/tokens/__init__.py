"""Access and refresh tokens: created, read, verified, stored and signed."""
