"""The use cases: plain functions over the storage ports, which know neither HTTP nor an adapter."""
