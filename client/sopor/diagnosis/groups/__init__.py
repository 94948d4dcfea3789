"""The groups of checks; `sopor.diagnosis.checks` says what a group is."""
