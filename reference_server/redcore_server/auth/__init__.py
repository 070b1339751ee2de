"""The auth service: OAuth 2.0 grants, tokens and keys, and the verifier for the gateway."""
