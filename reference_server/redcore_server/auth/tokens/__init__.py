"""Access and refresh tokens: made, read, verified, stored and signed."""
