"""The part of the SDK that openapi/generate.py makes from openapi/redcore.yaml; do not edit."""
