"""Up- and downloads of files."""
