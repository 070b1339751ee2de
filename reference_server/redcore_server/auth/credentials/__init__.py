"""What callers identify themselves with: applications, API keys, and the principal they become."""
