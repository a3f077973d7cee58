"""Publishes one message, and tells what became of it.

    python publish.py orders '{"order": 7}'
"""

import json
import os
import random
import sys
import time
import uuid

import requests

URL = os.environ.get("TAGWIRE_URL", "http://127.0.0.1:3000")
ENDINGS = {"delivered", "partial", "no-recipients", "expired", "cancelled", "dead"}

session = requests.Session()
session.headers["authorization"] = f"Bearer {os.environ['TAGWIRE_TOKEN']}"


def publish(target, data, attempts=6):
    """Returns the message's id. The id is made first, so attempts do not publish the message twice."""
    message = {"id": str(uuid.uuid4()), "target": target, "data": data}
    for attempt in range(1, attempts + 1):
        try:
            response = session.post(f"{URL}/v1/messages", json=message, timeout=35)
        except requests.RequestException:
            if attempt == attempts:
                raise
            response = None
        if response is not None:
            if response.status_code == 202:
                return message["id"]
            if response.status_code not in (429, 500, 502, 503, 504) or attempt == attempts:
                raise RuntimeError(f"{response.status_code}: {response.text}")
        least = float(response.headers.get("retry-after", 0)) if response is not None else 0
        time.sleep(least + random.uniform(0, min(20, 0.25 * 2**attempt)))


def wait_for(message_id, seconds=60):
    """Returns the receipt once the message has ended."""
    until = time.monotonic() + seconds
    delay = 0.25
    while time.monotonic() < until:
        response = session.get(f"{URL}/v1/messages/{message_id}", timeout=35)
        # Until a run has met the message there is no receipt: 404 with Retry-After.
        if response.status_code == 200 and response.json()["state"] in ENDINGS:
            return response.json()
        if response.status_code not in (200, 404, 429, 500, 502, 503, 504):
            raise RuntimeError(f"{response.status_code}: {response.text}")
        time.sleep(max(delay, float(response.headers.get("retry-after", 0))))
        delay = min(5, delay * 1.5)
    raise TimeoutError(f"{message_id} has not ended after {seconds} s")


if __name__ == "__main__":
    topic, data = sys.argv[1], json.loads(sys.argv[2])
    message_id = publish({"topic": topic}, data)
    print(json.dumps(wait_for(message_id)))
