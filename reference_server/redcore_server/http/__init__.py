"""HTTP code shared by all services of the platform."""
