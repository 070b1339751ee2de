"""Values that every floor above uses; imports nothing of redcore."""
