"""The demo cities: invented organizations and services, in four languages, the same for the same seed."""
