"""Invitations: the job that sends one, and the link in it."""
