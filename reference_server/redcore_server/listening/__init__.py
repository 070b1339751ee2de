"""Listens on one socket and serves one ASGI app on it: bounded connections, TLS if wanted, an orderly stop."""
