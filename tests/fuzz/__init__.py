"""Fuzzers guided by coverage; they are run by hand."""
