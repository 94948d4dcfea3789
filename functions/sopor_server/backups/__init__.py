"""Backups of a server on SQLite and files: made while it is in use, verified, and restored.

A backup is a folder, or one tar file, with

    server.json          the server's id and secret
    TIME.sqlite3         the metadata of one moment; a folder keeps one for each run
    blobs/...            every pack, and every group of packs, that one of them lists

The database is copied first, as SQLite copies one that is in use, then the blobs that the copy
lists: the server stores these before the metadata that lists them, and its housekeeping removes
none that is listed until any restore has passed by. What no entry lists, and what belongs to
deleted projects, which nobody reads any more, is no part of a backup.
"""
