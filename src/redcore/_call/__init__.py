"""One call: authentication, retries, pacing, deadlines. Decides; performs no I/O."""
