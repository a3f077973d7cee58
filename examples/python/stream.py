"""The place of one client in one stream. No network in it."""


class Stream:
    """Takes messages in any order, and gives them out in the order of their numbers, once.

    `position` is the number up to which all messages were given out, or None if the topic keeps no stream.
    """

    def __init__(self, position=None):
        self.position = position
        self._early = {}

    @property
    def has_hole(self):
        """Whether a message came whose predecessor has not."""
        return bool(self._early)

    def live(self, message):
        """Returns the messages that are next, after one that came by itself."""
        number = message.get("seq")
        if number is None or self.position is None:
            return [message]
        if number > self.position:
            self._early[number] = message
        return self._next()

    def reply(self, messages, position):
        """Returns the messages that are next, after a reply that brings all up to `position`.

        A number that the reply leaves out was cancelled or has expired.
        """
        if position is None or self.position is None:
            self.position, self._early = position, {}
            return list(messages)
        missed = [message for message in messages if message["seq"] > self.position]
        self.position = max(self.position, position)
        return missed + self._next()

    def restart(self, position):
        """After a gap: messages up to `position` do not come any more."""
        self.position = position
        return self._next() if position is not None else []

    def _next(self):
        self._early = {number: it for number, it in self._early.items() if number > self.position}
        ready = []
        while self.position + 1 in self._early:
            self.position += 1
            message = self._early.pop(self.position)
            # A number without data was cancelled or has expired. An omitted message is too large for a reply.
            if "data" in message or message.get("omitted"):
                ready.append(message)
        return ready
