"""The wire format: encoding requests, decoding responses, streaming bodies."""
