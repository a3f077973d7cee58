"""What the documents cannot say of a good request: rules between its fields, and between it and the clock."""

from datetime import datetime, timedelta, timezone
from unicodedata import category
from urllib.parse import unquote

import schemathesis

EXPRESSION_TAGS = 20


def messages(case):
    body = case.body if isinstance(case.body, list) else [case.body]
    return [message for message in body if isinstance(message, dict)]


def is_negative(case):
    return case.meta is not None and case.meta.generation.mode.is_negative


@schemathesis.hook
def map_case(context, case):
    """A message expires after it is due, and no later than the router keeps it. A history is of one stream, from one place."""
    if is_negative(case):
        return case
    if case.path == "/v1/history":
        query = dict(case.query or {})
        if "topic" in query:
            query.pop("user", None)
        else:
            query["user"] = "me"
        if "since" in query:
            query.pop("last", None)
        else:
            query.setdefault("last", 1)
        case.query = query
    for message in messages(case):
        due = message.get("delaySeconds", 0)
        if "expiresAt" in message:
            later = datetime.now(timezone.utc) + timedelta(seconds=due + 3600)
            message["expiresAt"] = later.isoformat().replace("+00:00", "Z")
        if "ttlSeconds" in message:
            message["ttlSeconds"] = max(message["ttlSeconds"], due + 1)
    return case


@schemathesis.hook
def filter_case(context, case):
    """An expression has a bound for all its lists. Python has no \\p{C}, which users and tags may not hold."""
    if is_negative(case):
        return True
    texts = [str((case.query or {}).get("producer", "")), unquote(str((case.path_parameters or {}).get("user", "")))]
    for message in messages(case):
        target = message.get("target", {})
        lists = target["tags"].values() if "tags" in target else []
        tags = [tag for one in lists for tag in one]
        if len(tags) > EXPRESSION_TAGS:
            return False
        texts += [*tags, target.get("user", "")]
    return not any(category(sign).startswith("C") for text in texts for sign in text)
