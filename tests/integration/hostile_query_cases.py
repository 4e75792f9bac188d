"""Names, parameters and headers of our own interface that are up to something: path traversal, percent-encoding,
numbers out of range, cursors from nowhere, keys of every kind."""
from hostile import Answered, Case, InOrder, OneOf, Taken, get, head, post

EVENT = b'{"q":1}'
OK = Taken((EVENT,))
UNKNOWN = Answered(404, "unknown_topic")
NOWHERE = Answered(404)
BAD = Answered(400)
BAD_PARAMETER = Answered(400, "invalid_parameter")

TOPIC_NAMES = [
    *[Case(f"topic-{name}", post(EVENT, topic=topic), UNKNOWN) for name, topic in [
        ("unknown", "nope"), ("capitals", "WEB"), ("blank", "web%20"), ("tab", "web%09"), ("nul", "web%00"),
        ("nul-in-front", "%00web"), ("line-break", "web%0d%0aX-Injected:%201"), ("dot", "."), ("dots", ".."),
        ("encoded-dots", "%2e%2e"), ("encoded-slash", "a%2fb"), ("traversal", "..%2f..%2f..%2fetc%2fpasswd"),
        ("traversal-back", "..%5c..%5cetc"), ("double-encoded", "%252e%252e%252f"), ("overlong-dot", "%c0%ae%c0%ae"),
        ("overlong-slash", "%e0%80%af"), ("not-utf8", "%ff%fe"), ("surrogate", "%ed%a0%80"), ("homoglyph", "w%d0%b5b"),
        ("semicolon", "web;v=1"), ("comma", "web,keyed"), ("star", "*"), ("wildcard", "we%3f"), ("quote", "%22web%22"),
        ("plus", "web+"), ("dollar", "$web"), ("braces", "{topic}"), ("template", "%7Btopic%7D"), ("of-5000", "w" * 5000),
        ("dead-letters", "web.dlq"), ("idempotency-keys", "__idempotency_keys"),
        ("dead-letter-actions", "__dead_letter_actions"), ("output", "sums"),
        ("changelog", "sums-changelog"), ("table-changelog", "latest-changelog"), ("script", "%3Cscript%3E"),
        ("bidi", "%e2%80%aeweb"), ("sql", "web'--")]],
    *[Case(f"topic-{name}", post(EVENT, topic=topic), BAD) for name, topic in [
        ("percent", "%"), ("percent-cut", "web%2"), ("percent-no-hex", "web%zz"), ("percent-sign", "%+1"),
        ("percent-u", "%u0077eb")]],
    Case("topic-encoded", post(EVENT, topic="%77%65b"), OK),
    *[Case(f"path-{name}", head("POST", path, "Content-Length: 0"), NOWHERE) for name, path in [
        ("traversal", "/v1/topics/../topics/web/events"), ("dot", "/v1/./topics/web/events"),
        ("double-slash", "/v1//topics/web/events"), ("double-slash-in-front", "//v1/topics/web/events"),
        ("slash-behind", "/v1/topics/web/events/"), ("empty-topic", "/v1/topics//events"), ("deeper", "/v1/topics/web/events/0"),
        ("encoded-word", "/v1/topics/web/event%73"), ("capitals", "/V1/Topics/web/events"), ("semicolon", "/v1/topics/web/events;x"),
        ("passwd", "/../../../../etc/passwd"), ("parameters", "/v1/topics/%2e%2e/web/events"),
        ("30000-slashes", "/" * 8000), ("admin", "/admin"), ("git", "/.git/config"), ("env", "/.env"), ("cgi", "/cgi-bin/sh")]],
    Case("path-backslash", head("POST", "/v1/topics/web\\events", "Content-Length: 0"), Answered((404, 405))),
    Case("get-topic-unknown", get("/v1/topics/nope"), UNKNOWN),
    Case("get-topic-not-utf8", get("/v1/topics/%ff"), UNKNOWN),
    Case("get-topic-percent", get("/v1/topics/%"), BAD),
    Case("get-topic-traversal", get("/v1/topics/..%2f..%2flog"), UNKNOWN),
    Case("get-events-unknown", get("/v1/topics/nope/events"), UNKNOWN),
    Case("get-events-traversal", get("/v1/topics/..%2f/events"), UNKNOWN),
    Case("get-nothing", get("/v2/topics"), NOWHERE),
    Case("get-not-utf8", get("/%ff%fe"), NOWHERE),
    Case("get-with-body", head("GET", "/v1/topics", "Content-Length: 7") + EVENT, Answered(200)),
]

QUERIES = [
    *[Case(f"events-{number}-{query[:20]}", get(f"/v1/topics/web/events?{query}"), BAD_PARAMETER) for number, query in enumerate([
        "partition=-1", "partition=2", "partition=99999999999999999999", "partition=x", "partition=0x0", "partition=%200",
        "partition=0%20", "partition=+0", "partition=0.0", "partition=1e0", "partition=0,1", "partition=%00", "partition=0%00",
        "partition=%d9%a0", "offset=x", "offset=0x10", "offset=9223372036854775808", "offset=-9223372036854775809",
        "offset=0:", "offset=:0", "offset=0:0:0", "offset=,", "offset=0:0;1:0", "offset=1.5", "offset=%2b1", "offset=--1",
        "limit=0", "limit=-1", "limit=10001", "limit=18446744073709551617", "limit=x", "limit=1e3", "limit=%00", "limit=1%0a",
        "limit=1;partition=0", "value=xml", "value=BASE64", "unknown=1", "Limit=1", "limit=1&limit=2", "=1", "limit[]=1",
        "%00=1", "offset=0&offset=0", "limit=1&LIMIT=1", "limit=" + "9" * 5000])],
    *[Case(f"events-percent-{number}", get(f"/v1/topics/web/events?{query}"), BAD) for number, query in enumerate(
        ["limit=%", "limit=%2", "limit=%zz", "%=1", "limit%=1", "limit=1&x%2=3"])],
    *[Case(f"events-right-{number}", get(f"/v1/topics/web/events?{query}"), Answered(200)) for number, query in enumerate([
        "", "&&&", "limit=", "partition=&offset=&limit=1", "limit=10000", "offset=9223372036854775807",
        "offset=-9223372036854775808", "offset=0:5,1:9223372036854775807", "offset=7:1", "l%69mit=1", "limit=%31",
        "limit=001", "offset=-0"])],
    Case("events-1000-parameters", get("/v1/topics/web/events?" + "&".join("a=1" for _ in range(1000))), BAD_PARAMETER),
    Case("events-two-questions", get("/v1/topics/web/events?limit=1?limit=2"), BAD_PARAMETER),
    Case("store-unknown", get("/v1/stores/nope"), Answered(404, "unknown_store")),
    Case("store-not-utf8", get("/v1/stores/%ff"), Answered(404, "unknown_store")),
    Case("store-traversal", get("/v1/stores/..%2fsums"), Answered(404, "unknown_store")),
    Case("store-is-a-topic", get("/v1/stores/web"), Answered(404, "unknown_store")),
    Case("store-slash-behind", get("/v1/stores/"), NOWHERE),
    *[Case(f"store-{number}-{query[:20]}", get(f"/v1/stores/sums?{query}"), BAD_PARAMETER) for number, query in enumerate([
        "limit=0", "limit=-1", "limit=x", "limit=99999999", "from=x", "from=2026-13-01T00:00:00Z", "to=yesterday",
        "from=1e3", "from=9223372036854775808", "to=%00", "cursor=x", "cursor=%ff%ff", "cursor=AAAA", "cursor=" + "A" * 5000,
        "cursor=../..", "unknown=1", "limit=1&limit=1"])],
    *[Case(f"store-right-{number}", get(f"/v1/stores/sums?{query}"), Answered(200)) for number, query in enumerate([
        "", "limit=", "from=0", "from=9223372036854775807", "from=-9223372036854775808", "to=-9223372036854775808",
        "from=2&to=1", "from=9999-12-31T23:59:59Z", "from=&to=", "cursor="])],
    *[Case(f"key-{number}", get(f"/v1/stores/{store}/{key}"), OneOf(Answered(200), BAD)) for number, (store, key) in enumerate(
        (store, key) for store in ("sums", "latest") for key in [
            "nope", "%ff", "%00", "%22", "%22a", "a%22", "%22%22", "a/b/c", "..", "..%2f", "1e400", "-0", "null", "{}",
            "%7b%22a%22:1%7d", "9" * 3000, "k" * 7000, "%ed%a0%80", "+", "%2f", "a" + "/a" * 3000])],
    *[Case(f"key-percent-{number}", get(f"/v1/stores/sums/{key}"), BAD) for number, key in enumerate(["%", "a%2", "%zz"])],
    Case("key-empty", get("/v1/stores/sums/"), NOWHERE),
    Case("health-deeper", get("/health/live/x"), NOWHERE),
    Case("metrics-with-a-query", get("/metrics?name[]=%ff"), Answered(200)),
]


def keyed(key, body=EVENT):
    return post(body, b"Idempotency-Key: " + key)


KNOWN = Taken((), duplicates=1)

KEYS = [
    Case("empty", keyed(b""), BAD),
    Case("blank", keyed(b"   "), BAD),
    Case("of-256", keyed(b"k" * 256), OK),
    Case("of-257", keyed(b"k" * 257), BAD),
    Case("of-8000", keyed(b"k" * 8000), BAD),
    Case("twice", post(EVENT, "Idempotency-Key: a", "Idempotency-Key: a"), BAD),
    Case("twice-differs", post(EVENT, "Idempotency-Key: a", "idempotency-key: b"), BAD),
    Case("same-again", keyed(b"again") * 3, InOrder(OK, KNOWN, KNOWN)),
    Case("same-for-other-events", keyed(b"other") + keyed(b"other", b'{"q":2}'), InOrder(OK, KNOWN)),
    Case("same-for-other-topic", keyed(b"topic") + post(b'{"q":3}', "Idempotency-Key: topic", topic="ids"),
         InOrder(OK, Taken((b'{"q":3}',), topic="ids"))),
    Case("same-for-dead-letters", keyed(b"dead", b'{"q":4,}') * 2,
         InOrder(Taken((), (("invalid_json", b'{"q":4,}'),)), KNOWN)),
    Case("free-after-a-refusal", keyed(b"free", b"oops") + keyed(b"free"), InOrder(BAD, OK)),
    Case("free-after-too-many-events", keyed(b"many", b"1\n" * 300_000) + keyed(b"many"),
         InOrder(Answered(413, "too_many_events"), OK)),
    Case("case-matters", keyed(b"case") + keyed(b"CASE"), InOrder(OK, OK)),
    Case("quotes-matter", keyed(b"quote") + keyed(b'"quote"'), InOrder(OK, OK)),
    Case("blanks-around-do-not-matter", keyed(b"around") + keyed(b"  around\t"), InOrder(OK, KNOWN)),
    Case("latin1", keyed(b"caf\xe9") * 2, InOrder(OK, KNOWN)),
    Case("topic-and-key-do-not-run-together", keyed(b"x") + post(b'{"q":5}', "Idempotency-Key: bx", topic="web"),
         InOrder(OK, Taken((b'{"q":5}',)))),
    *[Case(f"replay-{name}", post(EVENT, f"Penstock-Dlq-Replay: {value}"), BAD) for name, value in [
        ("word", "many"), ("minus", "-1"), ("plus", "+1"), ("decimal", "1.5"), ("hex", "0x1"), ("empty", ""),
        ("over-32-bits", "4294967296"), ("over-64-bits", "99999999999999999999"), ("blank-inside", "1 2")]],
    Case("replay-twice", post(EVENT, "Penstock-Dlq-Replay: 1", "Penstock-Dlq-Replay: 0"), BAD),
    Case("replay-right", post(EVENT, "Penstock-Dlq-Replay: 3"), OK),
]

CASES = {"names": TOPIC_NAMES, "queries": QUERIES, "keys": KEYS}
