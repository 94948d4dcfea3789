"""Streams of events (SPEC section 10.1): the function `events`, which is served by ASGI.

    asgi       requests in, polls and streams out
    opening    admits a stream: who, which projects, from where on
    seats      how many streams there may be
    stream     one stream: what to send next, and when it ends
    watches    what is followed: read once for all streams
    hub        joins streams to watches, and watches to signals
    sse        the text of a stream

Everything but reading the storage happens in one event loop and needs no locks.
"""
