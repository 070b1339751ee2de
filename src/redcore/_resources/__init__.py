"""The methods of `client.users`, `client.files` and the others."""
