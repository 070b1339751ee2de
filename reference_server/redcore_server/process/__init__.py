"""The `redcore-server` command's processes: the whole platform, one role alone, and what starts and stops them."""
