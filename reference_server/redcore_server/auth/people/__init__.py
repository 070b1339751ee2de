"""People: their records, passwords, second factors, sessions and sign-in."""
