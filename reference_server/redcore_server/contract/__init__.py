"""The content of openapi/redcore.yaml, read once: operations, schemas and their messages."""
