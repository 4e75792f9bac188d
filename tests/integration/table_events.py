"""The events that the tests of sinks into tables deliver, and the audit of what became of them."""
import collections
import json

COLUMNS = """["/n:n:bigint:not null", "/user:username:text:not null", "/amount:amount:numeric",
           "/at:happened_at:timestamptz", "/ok:ok:boolean", "/tags:tags:jsonb"]"""

# Events that the database refuses by a constraint, and events that do not fit into the columns.
VIOLATES_EVERY, MISFITS_EVERY = 2_500, 5_000
CONSTRAINT = "n % 2500 <> 7"


def event(number):
    return {"n": number, "user": f"u{number % 37}",
            "amount": "much" if number % MISFITS_EVERY == 11 else f"{number}.{number % 100:02}",
            "at": f"2024-01-01T00:{number // 60 % 60:02}:{number % 60:02}.250Z", "ok": number % 2 == 0,
            "tags": {"a": [number, None]}}


def is_bad(number):
    return number % VIOLATES_EVERY == 7 or number % MISFITS_EVERY == 11


def send(server, first, count, topic="app"):
    for begin in range(first, first + count, 2_000):
        numbers = range(begin, min(begin + 2_000, first + count))
        body = "\n".join(json.dumps(event(number), separators=(",", ":")) for number in numbers)
        assert server.accept_events(topic, body)["accepted"] == len(numbers)


def dead_letters(server, constraint_message):
    """[number of the event], from dead letters with all that must be said about them."""
    numbers = []
    for line in server.event_lines("app.dlq"):
        letter = json.loads(line)
        headers = letter["headers"]
        assert headers["penstock.dlq.code"] == "sink_refused"
        assert headers["penstock.dlq.sink"] == "db"
        number = json.loads(letter["value"])["n"] if isinstance(letter["value"], str) else letter["value"]["n"]
        if number % VIOLATES_EVERY == 7:
            assert constraint_message in headers["penstock.dlq.message"]
        else:
            assert "/amount" in headers["penstock.dlq.message"]
        numbers.append(number)
    return numbers


def audit_table(server, count, rows, letters, positions):
    """Problems of the numbers in table and dead letters, and of {partition: next offset}, against what was sent."""
    found, letters = collections.Counter(rows), collections.Counter(letters)
    problems = [f"{number} is there {found[number]} times, and {letters[number]} times a dead letter"
                for number in range(count)
                if (found[number], letters[number]) != ((0, 1) if is_bad(number) else (1, 0))]
    problems += [f"{number} was never sent" for number in {**found, **letters} if not 0 <= number < count]
    if positions != server.log_ends("app"):
        problems.append(f"offsets {positions} instead of {server.log_ends('app')}")
    return problems
