"""Helps tests: shared parts that are no tests themselves."""
