"""Credentials of callers: applications, API keys, and the principal derived from them."""
