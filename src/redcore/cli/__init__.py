"""The `redcore` command (extra `cli`): every operation of the platform, logins, transfers and diagnosis."""
