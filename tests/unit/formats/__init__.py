"""Tests of `sopor.formats`."""
