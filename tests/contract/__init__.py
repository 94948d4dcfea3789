"""One suite for every adapter of a storage port."""
