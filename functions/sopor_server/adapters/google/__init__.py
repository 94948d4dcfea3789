"""What the adapters on Google Cloud share: requests over HTTPS, and when to make them again.

The REST interfaces are spoken directly. Google's client libraries take most of a second to import,
which would be paid at every cold start.
"""
