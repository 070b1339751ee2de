"""A custom token cache, in SQLite: three methods.

Processes that share it need those of SharedTokenCache.
"""

import json
import os
import sqlite3

from redcore import Client, TokenSet


class SqliteCache:
    """Keeps tokens in a table, one row for each set of credentials."""

    def __init__(self, path: str) -> None:
        self._database = sqlite3.connect(
            path, check_same_thread=False, isolation_level=None
        )
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS tokens (key TEXT PRIMARY KEY, value TEXT)"
        )

    def get(self, key: str) -> TokenSet | None:
        """Return the tokens of a key; None if there are none."""
        row = self._database.execute(
            "SELECT value FROM tokens WHERE key = ?", (key,)
        ).fetchone()
        return TokenSet(**json.loads(row[0])) if row else None

    def set(self, key: str, tokens: TokenSet) -> None:
        """Store tokens."""
        self._database.execute(
            "REPLACE INTO tokens VALUES (?, ?)", (key, json.dumps(tokens.as_dict()))
        )

    def delete(self, key: str) -> None:
        """Delete tokens."""
        self._database.execute("DELETE FROM tokens WHERE key = ?", (key,))

    def close(self) -> None:
        """Close the database."""
        self._database.close()


def main() -> None:
    cache = SqliteCache("tokens.sqlite")
    client_id, secret = (
        os.environ["REDCORE_CLIENT_ID"],
        os.environ["REDCORE_CLIENT_SECRET"],
    )
    with Client(client_id=client_id, client_secret=secret, token_cache=cache) as client:
        print(client.users.get_me().email)
    cache.close()


if __name__ == "__main__":
    main()
