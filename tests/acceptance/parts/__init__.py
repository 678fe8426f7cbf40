"""One module a part; the registry is `acceptance.registry`."""
