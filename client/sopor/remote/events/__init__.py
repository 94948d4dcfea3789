"""Events of projects as they happen (SPEC section 10.1): what comes is not verified here.

`plan` decides, `feed` does it and lets a taker verify; `source` asks the server, `sse` and
`messages` read what it answers.
"""
