"""Diagnosis: what `sopor doctor` checks, and what `sopor bug-report` writes.

Nothing here changes anything but files of its own that it removes again, and nothing asks a person.
"""
