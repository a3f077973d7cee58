"""Listens to a topic, reconnects, and resumes where it was.

    python listen.py orders                     # prints each message as a line of JSON
    python listen.py orders --position FILE     # keeps its place in FILE, over restarts too

A topic that keeps a stream (docs/settings.md) loses nothing; of others, what was sent while the socket was away is gone.
"""

import argparse
import base64
import json
import math
import os
import random
import sys
import time
from pathlib import Path

from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.sync.client import connect

from stream import Stream

URL = os.environ.get("TAGWIRE_SOCKET_URL", "ws://127.0.0.1:3000")
# API Gateway cuts a socket that is silent for ten minutes.
PING_AFTER_SECONDS = 540
# These are for good. After any other error a new connection does better.
FINAL_ERRORS = ("_INVALID", "_FORBIDDEN", "TOO_MANY_TOPICS")


def listen(topic, token, stream, on_gap=lambda: None):
    """Yields the topic's messages, for ever. `token` is called for each connection."""
    failures = 0
    while True:
        began = time.monotonic()
        try:
            fresh = token()
            ends = began + life_of(fresh)
            protocols = ["tagwire.v1", f"token.{fresh}"]
            # The router answers pings of the protocol only, not those of WebSocket.
            with connect(URL, subprotocols=protocols, ping_interval=None) as socket:
                yield from messages_of(socket, topic, stream, on_gap, ends)
        except InvalidStatus as refused:
            if 400 <= refused.response.status_code < 429:
                raise
        except (OSError, WebSocketException) as lost:
            print(f"connection lost: {lost}", file=sys.stderr)
        # A router that accepts and closes is no success: only a connection that held counts.
        failures = 0 if time.monotonic() - began > 30 else failures + 1
        time.sleep(random.uniform(0, min(20, 0.5 * 2**failures)))


def life_of(token):
    """Returns the seconds that a fresh token holds: nothing arrives after that."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
        return claims["exp"] - claims["iat"]
    except (IndexError, KeyError, ValueError):
        return math.inf


def messages_of(socket, topic, stream, on_gap, ends):
    """Yields the messages of one connection, until it or its token ends."""

    def send(**frame):
        socket.send(json.dumps(frame))

    def fetch():
        send(type="history", topic=topic, since=stream.position)

    since = {} if stream.position is None else {"since": {topic: stream.position}}
    send(type="subscribe", topics=[topic], **since)
    held = []
    subscribed = fetching = False
    while (left := ends - time.monotonic()) > 0:
        try:
            frame = json.loads(socket.recv(timeout=min(left, PING_AFTER_SECONDS)))
        except TimeoutError:
            if left > PING_AFTER_SECONDS:
                send(type="ping")
            continue
        kind = frame["type"]
        if kind == "message" and frame.get("topic") == topic:
            # A message can overtake the reply to the subscription.
            if subscribed:
                yield from stream.live(frame)
            else:
                held.append(frame)
        elif kind == "subscribed":
            for refused in frame.get("refused", []):
                raise PermissionError(f"{refused['code']}: {refused['detail']}")
            subscribed = True
            position = frame.get("positions", {}).get(topic)
            if since and not frame.get("recovered", {}).get(topic):
                on_gap()
                yield from stream.restart(position)
            else:
                yield from stream.reply(frame.get("messages", []), position)
            for message in held:
                yield from stream.live(message)
            fetching = frame.get("more", {}).get(topic, False)
            if fetching:
                fetch()
        elif kind == "history":
            if frame["gap"]:
                on_gap()
            yield from stream.reply(frame["messages"], frame.get("position"))
            fetching = frame["more"]
            if fetching:
                fetch()
        elif kind == "error":
            if frame["code"].endswith(FINAL_ERRORS):
                raise RuntimeError(f"{frame['code']}: {frame['detail']}")
            print(f"connection given up: {frame['code']}: {frame['detail']}", file=sys.stderr)
            return
        if subscribed and stream.has_hole and not fetching:
            fetching = True
            fetch()


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("topic")
    arguments.add_argument("--position", type=Path)
    given = arguments.parse_args()
    saved = given.position and given.position.exists() and given.position.read_text()
    stream = Stream(int(saved) if saved else None)

    def gap():
        print("gap: some messages are not kept any more", file=sys.stderr)

    def token():
        return os.environ["TAGWIRE_TOKEN"]

    for message in listen(given.topic, token, stream, gap):
        print(json.dumps(message), flush=True)
        if given.position and "seq" in message:
            # After the message was handled: a crash before repeats it, and loses nothing.
            given.position.write_text(str(message["seq"]))


if __name__ == "__main__":
    main()
