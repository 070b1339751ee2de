"""The OAuth 2.0 endpoints and grants."""
