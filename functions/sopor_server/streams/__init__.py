"""Streams of events (SPEC section 10.1): the function `events`, which is served by ASGI.

    asgi       requests in, polls and streams out
    opening    admits a stream: who, which projects, from where on
    seats      how many streams there may be
    stream     one stream: what to send next, and when it ends
    watches    what is followed: read once for all streams
    hub        joins streams to watches, and watches to signals
    presence   who is on which branch, for streams that ask
    sse        the text of a stream
    serving    uvicorn, where a machine of one's own serves it

A role is looked at in what was read together with the news; a device when it is signalled. So what
was pushed in the moment that a signal takes may still be told to a device that was revoked right
before.

Everything but reading the storage happens in one event loop and needs no locks.
"""
