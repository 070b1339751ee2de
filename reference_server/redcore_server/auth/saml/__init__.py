"""SAML 2.0: people sign in at the identity provider of their organisation, and assertions become tokens.

The service provider's endpoints (`routes`), the bearer grant of RFC 7522 (`grant`), and one shared validation of
assertions (`document`, `signature`, `assertion`, `conditions`, `replay`). Single logout and encrypted assertions are
not supported, and nothing here creates users: an assertion signs in only users that the organisation already has.
"""
