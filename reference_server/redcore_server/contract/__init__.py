"""What openapi/redcore.yaml says, read once: operations, schemas and their messages."""
