"""Mail: what sends it, and the outbox that keeps it on a development machine."""
