"""SAML 2.0: people sign in at the identity provider of their organisation, and assertions become tokens.

The service provider's addresses (`routes`), the bearer grant of RFC 7522 (`grant`), and one way of judging what an
identity provider says (`document`, `signature`, `assertion`, `conditions`, `replay`). Single logout and encrypted
assertions are not supported, and nothing here makes users: an assertion opens the door only to whom the
organisation already knows.
"""
