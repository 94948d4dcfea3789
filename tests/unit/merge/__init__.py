"""Small stories about the merge."""
