"""HTTP as all services of the platform speak it."""
