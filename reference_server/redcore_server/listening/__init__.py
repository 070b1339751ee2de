"""Listens on one socket and serves one ASGI app on it: bounded connections, optional TLS, an orderly shutdown."""
