"""Values that every layer above uses; imports nothing else of redcore."""
