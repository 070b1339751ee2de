"""The names of the auth service's keys in Redis; `grant_store` defines their content."""

from __future__ import annotations


def grant(grant_id: str) -> str:
    """Return the key of a grant's record, a hash.

    Args:
        grant_id: Id of the grant; braces make it the hash tag, so that a cluster keeps all keys of a grant together.
    """
    return f"auth:grant:{{{grant_id}}}"


def dead(grant_id: str) -> str:
    """Return the key of its used refresh tokens: digests, scored by the time of use."""
    return f"{grant(grant_id)}:dead"


def revoked(grant_id: str) -> str:
    """Return the key of its revoked access tokens: their `jti`, scored by their expiry."""
    return f"{grant(grant_id)}:revoked"


def family(grant_id: str) -> list[str]:
    """Return all keys of a grant; deleting them ends every token of it."""
    return [grant(grant_id), dead(grant_id), revoked(grant_id)]


def of_owner(user_id: str) -> str:
    """Return the key of the index of a user's grants: their ids, scored by their expiry."""
    return f"auth:grants:owner:{user_id}"


def of_client(client_id: str) -> str:
    """Return the key of the same index of an application."""
    return f"auth:grants:client:{client_id}"


def of_client_itself(client_id: str) -> str:
    """Return the key of the same index of the grants that an application has for itself, not for people."""
    return f"auth:grants:itself:{client_id}"
