"""Mail: sending it, and the outbox that stores it on a development machine."""
