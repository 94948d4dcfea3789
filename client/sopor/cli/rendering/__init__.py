"""Turns results of the library into lines of text for people; prints nothing itself."""
