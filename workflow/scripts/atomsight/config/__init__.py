"""Configuration: what may be set, with type, range, unit, default and meaning."""
