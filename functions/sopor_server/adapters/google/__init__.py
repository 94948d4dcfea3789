"""What the adapters on Google Cloud share: when to call again, and what stderr is spared.

They stand on Google's packages, which are imported when the first call needs them: that takes a
quarter of a second, which only a cold start of the cloud's functions pays.
"""
