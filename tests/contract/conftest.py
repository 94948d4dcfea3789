"""Gives the contract tests the emulators of the cloud."""

from tests.support.emulators import firestore_emulator, storage_emulator

__all__ = ["firestore_emulator", "storage_emulator"]
