"""Checks events the way Sentry's own ingestion would read them.

Reads events and transactions, one line of JSON each. For each line it prints one line of JSON:

    {"errors": ["contexts.trace.span_id: invalid_data (...)"], "dropped": ["stacktrace.bogus"]}

`errors` is what the normalizer objects to, and what strict JSON forbids although the normalizer repairs it in
silence. `dropped` names each key of the input that its output no longer has. Both are empty for a good event.
"""

import json
import sys

import environment

# Where the normalizer puts what it moves: (path before, path after).
MOVED = [
    (("message",), ("logentry", "formatted")),
    (("server_name",), ("tags", "server_name")),
]


def main():
    environment.enter(__file__)
    from sentry_relay.processing import StoreNormalizer

    normalizer = StoreNormalizer(
        project_id=1,
        protocol_version="7",
        client="vidette/0.1",
        max_secs_in_future=60,
        max_secs_in_past=30 * 24 * 60 * 60,
        enable_trimming=False,
        remove_other=True,
        normalize_user_agent=False,
        is_renormalize=False,
    )
    for line in sys.stdin.buffer:
        print(json.dumps(check(normalizer, line)), flush=True)


def check(normalizer, line):
    try:
        text = line.decode("utf-8", "strict")
        event = json.loads(text, parse_constant=refuse, object_pairs_hook=distinct)
    except ValueError as error:
        return {"errors": [f"not strict JSON: {error}"], "dropped": []}
    if not isinstance(event, dict):
        return {"errors": ["not a JSON object"], "dropped": []}
    try:
        normal = normalizer.normalize_event(raw_event=text)
    except Exception as error:
        return {"errors": [f"rejected: {str(error).splitlines()[0]}"], "dropped": []}
    errors = list(objections(normal.get("_meta") or {}, ()))
    errors += [error for error in remarks(event, normal) if not any(known.startswith(error) for known in errors)]
    return {"errors": errors, "dropped": list(dropped(event, normal))}


def refuse(constant):
    raise ValueError(f"{constant} is no JSON number")


def distinct(pairs):
    """Builds an object, and refuses one that has a key twice: parsers differ in which value they keep."""
    built = dict(pairs)
    if len(built) != len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"duplicate key {twice[0]!r}")
    return built


def objections(meta, path):
    """The errors that stand in `_meta`, each with the path of the value it is about."""
    for key, below in meta.items():
        if key == "":
            for error in below.get("err", []):
                kind, detail = (error, {}) if isinstance(error, str) else (error[0], error[1])
                reason = detail.get("reason")
                value = f", value {json.dumps(below['val'])}" if "val" in below else ""
                yield f"{dotted(path)}: {kind}" + (f" ({reason}{value})" if reason else "")
        elif isinstance(below, dict):
            yield from objections(below, (*path, key))


def remarks(event, normal):
    """What the normalizer adds to the event's own list of errors; most of it stands in `_meta` too, in more detail."""
    told = event.get("errors") or []
    for error in normal.get("errors") or []:
        if error not in told:
            yield f"{error.get('name', 'event')}: {error['type']}"


def dropped(event, normal):
    for path in missing(event, normal, ()):
        if not moved(path, normal):
            yield dotted(path)


def missing(before, after, path):
    """The paths that hold something in `before` and nothing in `after`."""
    if before is None or before == {} or before == []:
        return
    before, after = unwrap(before), unwrap(after)
    if after is None:
        yield path
    elif isinstance(before, dict):
        after = by_key(after)
        # Anything about a user that has no field of its own is kept under `data`.
        spare = by_key(after.get("data") or {}) if path == ("user",) else {}
        for key, value in before.items():
            yield from missing(value, after.get(key, spare.get(key)), (*path, key))
    elif isinstance(before, list) and isinstance(after, list):
        for index, value in enumerate(before):
            kept = after[index] if index < len(after) else None
            yield from missing(value, kept, (*path, str(index)))


def unwrap(value):
    """`{"values": [...]}` and the bare list are two spellings of one thing."""
    return value["values"] if isinstance(value, dict) and value.keys() == {"values"} else value


def by_key(value):
    """An object, or the list of pairs that the normalizer makes of tags, headers and cookies."""
    if isinstance(value, dict):
        return value
    if isinstance(value, list):
        return {pair[0]: pair[1] for pair in value if isinstance(pair, list) and len(pair) == 2}
    return {}


def moved(path, normal):
    for before, after in MOVED:
        if path == before:
            found = normal
            for key in after:
                found = by_key(found).get(key)
            return found is not None
    return False


def dotted(path):
    return ".".join(path) or "event"


if __name__ == "__main__":
    main()
