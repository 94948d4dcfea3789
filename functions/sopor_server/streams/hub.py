"""Joins streams to what they follow, and that to the signals of the storage."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from sopor_core.ids import DeviceId, OrgId, ProjectId
from sopor_server.ports.signals import Signals, Topic, TopicKind, Wake
from sopor_server.streams.presence import PresenceWatch
from sopor_server.streams.watches import Channel, DeviceWatch, OrgWatch, Storage, Watch

if TYPE_CHECKING:
    from sopor_server.streams.stream import Stream


class Hub:
    """All that is followed in this process, each thing once. Belongs to one event loop."""

    def __init__(
        self, storage: Storage, connect: Callable[[Wake], Signals], quiet: float = 0
    ) -> None:
        """Takes how to begin with signals; streams end after ``quiet`` seconds, never for 0."""
        self.quiet = quiet
        self.closing = False
        self._storage = storage
        self._loop = asyncio.get_running_loop()
        self._signals = connect(self._wake)
        self._watches: dict[Topic, Watch] = {}
        self._streams: set[Stream] = set()

    @property
    def followed(self) -> frozenset[Topic]:
        """What is followed now."""
        return frozenset(self._watches)

    def now(self) -> int:
        """Returns the time in milliseconds."""
        return self._storage.context.now()

    def enter(self, stream: Stream) -> DeviceWatch:
        """Follows what a stream wants, and returns the watch of its device."""
        self._streams.add(stream)
        admitted = stream.admitted
        device = self._device(admitted.caller.device)
        device.streams.add(stream)
        for project, owner in admitted.owners.items():
            channel = self.join(stream, project, owner)
            place, present = channel.place, admitted.present[project]
            if place is None or place.push < present.push or place.members < present.members:
                channel.wake()
            channel.stand(stream.places[project])
        for org in admitted.orgs:
            watch = self._org(org)
            watch.streams.add(stream)
            if watch.newest is None and not watch.channels:
                watch.wake()
            stream.stir_org(watch)
        return device

    def join(self, stream: Stream, project: ProjectId, owner: OrgId) -> Channel:
        """Lets a stream follow a project as well."""
        topic = Topic(TopicKind.PROJECT, project)
        channel = self._watches.get(topic)
        if not isinstance(channel, Channel):
            org = self._org(owner)
            channel = Channel(self._storage, project, org)
            org.channels.add(channel)
            self._follow(topic, channel)
            channel.wake()
        channel.streams.add(stream)
        stream.joined(channel)
        if stream.admitted.presence:
            self._join_presence(stream, project)
        return channel

    def _join_presence(self, stream: Stream, project: ProjectId) -> None:
        topic = Topic(TopicKind.PRESENCE, project)
        watch = self._watches.get(topic)
        if not isinstance(watch, PresenceWatch):
            watch = PresenceWatch(self._storage, project)
            self._follow(topic, watch)
            watch.wake()
        watch.streams.add(stream)
        stream.stir_presence(watch)

    def leave(self, stream: Stream) -> None:
        """Unfollows what nobody else wants."""
        self._streams.discard(stream)
        admitted = stream.admitted
        for project, channel in stream.channels.items():
            channel.streams.discard(stream)
            if project in stream.places:
                channel.left(stream.places[project])
            self._leave_presence(stream, project)
            if not channel.streams:
                channel.org.channels.discard(channel)
                self._unfollow(Topic(TopicKind.PROJECT, project))
        orgs = {*admitted.orgs, *(channel.org.id for channel in stream.channels.values())}
        for org in orgs:
            topic = Topic(TopicKind.ORGANIZATION, org)
            watch = self._watches.get(topic)
            if isinstance(watch, OrgWatch):
                watch.streams.discard(stream)
                if not watch.streams and not watch.channels:
                    self._unfollow(topic)
        device = self._device(admitted.caller.device)
        device.streams.discard(stream)
        if not device.streams:
            self._unfollow(Topic(TopicKind.DEVICE, admitted.caller.device))

    def _leave_presence(self, stream: Stream, project: ProjectId) -> None:
        topic = Topic(TopicKind.PRESENCE, project)
        watch = self._watches.get(topic)
        if isinstance(watch, PresenceWatch):
            watch.streams.discard(stream)
            if not watch.streams:
                self._unfollow(topic)

    def close(self) -> None:
        """Ends all streams, each with a word to its client."""
        self.closing = True
        for stream in self._streams:
            stream.wake()

    def shut(self) -> None:
        """Ends the signals; blocks for a moment."""
        self._signals.close()

    def _device(self, device: DeviceId) -> DeviceWatch:
        topic = Topic(TopicKind.DEVICE, device)
        watch = self._watches.get(topic)
        if not isinstance(watch, DeviceWatch):
            watch = DeviceWatch(self._storage, device)
            self._follow(topic, watch)
            watch.wake()
        return watch

    def _org(self, org: OrgId) -> OrgWatch:
        topic = Topic(TopicKind.ORGANIZATION, org)
        watch = self._watches.get(topic)
        if not isinstance(watch, OrgWatch):
            watch = OrgWatch(self._storage, org)
            self._follow(topic, watch)
        return watch

    def _follow(self, topic: Topic, watch: Watch) -> None:
        self._watches[topic] = watch
        self._signals.follow(topic)

    def _unfollow(self, topic: Topic) -> None:
        self._watches.pop(topic).stop()
        self._signals.unfollow(topic)

    def _wake(self, topic: Topic) -> None:
        """Is called in threads of the signals; at the end of the process the loop is closed."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._woken, topic)

    def _woken(self, topic: Topic) -> None:
        watch = self._watches.get(topic)
        if watch is not None:
            watch.wake()
