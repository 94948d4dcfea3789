"""Bringing a working copy and its remote together: plan, receive and verify, publish."""
