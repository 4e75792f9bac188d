"""Bodies that are not what they should be. Each malformed event stands alone and among good ones, in every shape
a body may have: it becomes a dead letter with its bytes, and its neighbours go on (docs of src/schema)."""
from hostile import Answered, Case, OneOf, Taken, post

JSON = "invalid_json"
UTF8 = "invalid_utf8"

# (id, event, code): brackets and quotes are paired, so a reader can see where the event ends in any shape.
BALANCED = [
    ("trailing-comma", b'{"a":1,}', JSON),
    ("leading-comma", b'{,"a":1}', JSON),
    ("double-comma", b'{"a":1,,"b":2}', JSON),
    ("comma-only", b"{,}", JSON),
    ("missing-comma", b'{"a":1 "b":2}', JSON),
    ("missing-colon", b'{"a" 1}', JSON),
    ("double-colon", b'{"a"::1}', JSON),
    ("missing-value", b'{"a":}', JSON),
    ("missing-key", b"{:1}", JSON),
    ("key-alone", b'{"a"}', JSON),
    ("value-without-key", b"{1}", JSON),
    ("bare-key", b"{a:1}", JSON),
    ("number-key", b"{1:1}", JSON),
    ("null-key", b"{null:1}", JSON),
    ("object-key", b"{{}:1}", JSON),
    ("array-key", b"{[]:1}", JSON),
    ("single-quotes", b"{'a':1}", JSON),
    ("equals", b'{"a"=1}', JSON),
    ("semicolon", b'{"a":1;"b":2}', JSON),
    ("line-comment", b'{"a":1 // no comments\t}', JSON),
    ("block-comment", b'{"a":/* no */1}', JSON),
    ("hash-comment", b'{"a":1 # no\t}', JSON),
    ("upper-case-literal", b'{"a":TRUE}', JSON),
    ("python-literal", b'{"a":None}', JSON),
    ("undefined", b'{"a":undefined}', JSON),
    ("nan", b'{"a":NaN}', JSON),
    ("infinity", b'{"a":Infinity}', JSON),
    ("minus-infinity", b'{"a":-Infinity}', JSON),
    ("literal-too-long", b'{"a":trueish}', JSON),
    ("literal-too-short", b'{"a":fals}', JSON),
    ("two-values", b'{"a":1 2}', JSON),
    ("plus-number", b'{"a":+1}', JSON),
    ("leading-zero", b'{"a":01}', JSON),
    ("minus-leading-zero", b'{"a":-01}', JSON),
    ("minus-alone", b'{"a":-}', JSON),
    ("double-minus", b'{"a":--1}', JSON),
    ("no-integer-part", b'{"a":.5}', JSON),
    ("no-fraction", b'{"a":1.}', JSON),
    ("no-exponent", b'{"a":1e}', JSON),
    ("exponent-sign-only", b'{"a":1e+}', JSON),
    ("two-exponents", b'{"a":1e2e3}', JSON),
    ("two-points", b'{"a":1.2.3}', JSON),
    ("hex-number", b'{"a":0x1F}', JSON),
    ("octal-number", b'{"a":0o17}', JSON),
    ("underscored-number", b'{"a":1_000}', JSON),
    ("big-int-suffix", b'{"a":1n}', JSON),
    ("full-width-digit", '{"a":\uff11}'.encode(), JSON),
    ("no-break-space", b'{"a":\xc2\xa01}', JSON),
    ("form-feed-between", b'{"a":\x0c1}', JSON),
    ("vertical-tab-between", b'{"a":\x0b1}', JSON),
    ("nul-between", b'{"a":\x001}', JSON),
    ("escape-between", b'{"a":\x1b1}', JSON),
    ("delete-between", b'{"a":\x7f1}', JSON),
    ("backslash-between", b'{"a":\\n1}', JSON),
    ("byte-order-mark-between", b'{"a":\xef\xbb\xbf1}', JSON),
    ("escape-x", b'{"a":"\\x41"}', JSON),
    ("escape-a", b'{"a":"\\a"}', JSON),
    ("escape-zero", b'{"a":"\\0"}', JSON),
    ("escape-quote", b'{"a":"\\\'"}', JSON),
    ("escape-upper-u", b'{"a":"\\U0041"}', JSON),
    ("escape-short-u", b'{"a":"\\u12"}', JSON),
    ("escape-u-no-hex", b'{"a":"\\u12G4"}', JSON),
    ("escape-u-sign", b'{"a":"\\u+123"}', JSON),
    ("escape-in-key", b'{"\\q":1}', JSON),
    ("lone-high-surrogate", b'{"a":"\\uD800"}', (JSON, UTF8)),
    ("lone-low-surrogate", b'{"a":"\\uDC00"}', (JSON, UTF8)),
    ("surrogates-swapped", b'{"a":"\\uDC00\\uD800"}', (JSON, UTF8)),
    ("high-surrogate-twice", b'{"a":"\\uD800\\uD800"}', (JSON, UTF8)),
    ("high-surrogate-then-letter", b'{"a":"\\uD800x"}', (JSON, UTF8)),
    ("lone-surrogate-in-key", b'{"\\uD834":1}', (JSON, UTF8)),
    ("raw-nul-in-string", b'{"a":"x\x00y"}', JSON),
    ("raw-tab-in-string", b'{"a":"x\ty"}', JSON),
    ("raw-control-in-string", b'{"a":"x\x1fy"}', JSON),
    ("raw-control-in-key", b'{"a\x01":1}', JSON),
    ("utf8-lone-continuation", b'{"a":"\x80"}', UTF8),
    ("utf8-two-byte-cut", b'{"a":"\xc3"}', UTF8),
    ("utf8-three-byte-cut", b'{"a":"\xe2\x82"}', UTF8),
    ("utf8-four-byte-cut", b'{"a":"\xf0\x9f\x98"}', UTF8),
    ("utf8-overlong-nul", b'{"a":"\xc0\x80"}', UTF8),
    ("utf8-overlong-slash", b'{"a":"\xc0\xaf"}', UTF8),
    ("utf8-overlong-quote", b'{"a":"\xc0\xa2"}', UTF8),
    ("utf8-overlong-three", b'{"a":"\xe0\x80\xaf"}', UTF8),
    ("utf8-overlong-four", b'{"a":"\xf0\x80\x80\xaf"}', UTF8),
    ("utf8-surrogate-high", b'{"a":"\xed\xa0\x80"}', UTF8),
    ("utf8-surrogate-pair", b'{"a":"\xed\xa0\xb4\xed\xb4\x9e"}', UTF8),
    ("utf8-above-10ffff", b'{"a":"\xf4\x90\x80\x80"}', UTF8),
    ("utf8-five-bytes", b'{"a":"\xf8\x88\x80\x80\x80"}', UTF8),
    ("utf8-fe", b'{"a":"\xfe"}', UTF8),
    ("utf8-ff", b'{"a":"\xff"}', UTF8),
    ("utf8-latin1", b'{"a":"caf\xe9"}', UTF8),
    ("utf8-in-key", b'{"caf\xe9":1}', UTF8),
    ("utf8-outside", b'{"a":1\xff}', (JSON, UTF8)),
    ("utf8-outside-before-key", b'{\xc3\x28"a":1}', (JSON, UTF8)),
    ("array-trailing-comma", b'{"a":[1,]}', JSON),
    ("array-leading-comma", b'{"a":[,1]}', JSON),
    ("array-missing-comma", b'{"a":[1 2]}', JSON),
    ("array-colon", b'{"a":["b":1]}', JSON),
    ("spread", b'{"a":[...]}', JSON),
    ("nested-129", b'{"a":' + b"[" * 128 + b"]" * 128 + b"}", "too_deep"),
    ("nested-129-objects", b'{"a":' * 128 + b"{}" + b"}" * 128, "too_deep"),
    ("too-large", b'{"a":"' + b"x" * (64 << 10) + b'"}', "too_large"),
    ("too-large-number", b'{"a":' + b"9" * (64 << 10) + b"}", "too_large"),
    ("too-many-members", b"{" + b",".join(b'"k%d":%d' % (i, i) for i in range(8000)) + b"}", "too_large"),
]

# Quotes or brackets do not match: only a line of its own tells where the event ends.
UNBALANCED = [
    ("open-brace", b"{", JSON),
    ("open-after-key", b'{"a"', JSON),
    ("open-after-colon", b'{"a":', JSON),
    ("open-after-comma", b'{"a":1,', JSON),
    ("open-string", b'{"a":"b', JSON),
    ("open-key", b'{"a', JSON),
    ("open-escape", b'{"a":"b\\', JSON),
    ("open-unicode-escape", b'{"a":"\\u00', JSON),
    ("open-array", b'{"a":[1,2', JSON),
    ("open-literal", b'{"a":tru', JSON),
    ("open-number", b'{"a":-', JSON),
    ("open-utf8", b'{"a":"\xf0\x9f', (JSON, UTF8)),
    ("crossed-brackets", b'{"a":[1}', JSON),
    ("open-nested-100000", b'{"a":' + b"[" * 30_000, (JSON, "too_deep")),
]

# JSON, but no event.
NO_OBJECT = [
    ("null", b"null"), ("true", b"true"), ("false", b"false"), ("zero", b"0"), ("number", b"-1.5e3"),
    ("string", b'"text"'), ("empty-string", b'""'), ("string-of-json", b'"{\\"a\\":1}"'),
]

# Unusual and right: each is accepted, and its bytes are the event.
GOOD = [
    ("empty-object", b"{}"),
    ("empty-key", b'{"":1}'),
    ("same-name-twice", b'{"a":1,"a":2}'),
    ("same-name-escaped", b'{"a":1,"\\u0061":2}'),
    ("nested-10", b'{"a":' + b"[" * 9 + b"]" * 9 + b"}"),
    ("nested-128", b'{"a":' + b"[" * 127 + b"]" * 127 + b"}"),
    ("number-huge-exponent", b'{"a":1e400}'),
    ("number-huge-negative-exponent", b'{"a":-1E-99999}'),
    ("number-exponent-over-32-bits", b'{"a":1e2147483648}'),
    ("number-10000-digits", b'{"a":' + b"9" * 10_000 + b"}"),
    ("number-10000-decimals", b'{"a":0.' + b"1" * 10_000 + b"}"),
    ("number-minus-zero", b'{"a":-0,"b":-0.0e-0}'),
    ("number-over-64-bits", b'{"a":18446744073709551616,"b":-9223372036854775809}'),
    ("escaped-nul", b'{"a":"\\u0000","\\u0000":1}'),
    ("escaped-slash", b'{"a":"\\/\\b\\f\\n\\r\\t\\"\\\\"}'),
    ("surrogate-pair", b'{"a":"\\uD834\\uDD1E"}'),
    ("noncharacters", '{"a":"\ufffe\uffff\U0010ffff"}'.encode()),
    ("delete-in-string", b'{"a":"\x7f"}'),
    ("line-separators", '{"a":"\u2028\u2029\u0085"}'.encode()),
    ("byte-order-mark-in-string", b'{"a":"\xef\xbb\xbf"}'),
    ("right-to-left-override", '{"\u202e":"\u200b"}'.encode()),
    ("white-space-inside", b'{ "a" \t:\r\t 1 }'),
    ("looks-like-an-event-in-a-string", b'{"a":"\\n{\\"b\\":1}\\n"}'),
    ("proto", b'{"__proto__":{"admin":true},"constructor":1}'),
    ("html", b'{"a":"<script>alert(1)</script>"}'),
    ("sql", b'{"a":"\'; DROP TABLE events;--"}'),
    ("format-string", b'{"a":"%s%n%x%p{}{0}${jndi:ldap://x}"}'),
    ("largest-event", b'{"a":"' + b"x" * ((64 << 10) - 8) + b'"}'),
]


def neighbours(number):
    return b'{"before":%d}' % number, b'{"after":%d}' % number


def shapes(identity, number, bad, codes, balanced):
    """The cases of one malformed event."""
    before, after = neighbours(number)
    among = Taken((before, after), ((codes, bad),))
    yield Case(f"alone-{identity}", post(bad), Taken((), ((codes, bad),)))
    yield Case(f"line-{identity}", post(before + b"\n" + bad + b"\n" + after), among)
    if balanced:
        yield Case(f"list-{identity}", post(b"[" + before + b"," + bad + b"," + after + b"]"), among)
        yield Case(f"joined-{identity}", post(before + bad + after), among)


def malformed_cases():
    for number, (identity, bad, codes) in enumerate(BALANCED):
        yield from shapes(identity, number, bad, codes, balanced=True)
    for number, (identity, bad, codes) in enumerate(UNBALANCED, len(BALANCED)):
        yield from shapes(identity, number, bad, codes, balanced=False)
    for number, (identity, bad) in enumerate(NO_OBJECT, 1000):
        before, after = neighbours(number)
        among = Taken((before, after), (("not_an_object", bad),))
        yield Case(f"alone-{identity}", post(bad), Taken((), (("not_an_object", bad),)))
        yield Case(f"line-{identity}", post(before + b"\n" + bad + b"\n" + after), among)
        yield Case(f"list-{identity}", post(b"[" + before + b"," + bad + b"," + after + b"]"), among)


def good_cases():
    for identity, event in GOOD:
        yield Case(f"good-{identity}", post(b"[" + event + b"]"), Taken((event,)))
        yield Case(f"good-line-{identity}", post(event + b"\r\n" + event), Taken((event, event)))


NOT_JSON = Answered(400, "invalid_json")
EMPTY = Answered(400, "empty_body")

BODIES = [
    Case("no-body", post(b""), EMPTY),
    Case("no-length", post(b"").replace(b"Content-Length: 0\r\n", b""), EMPTY),
    Case("blank", post(b" "), EMPTY),
    Case("blank-lines", post(b"\r\n\t \n" * 1000), EMPTY),
    Case("byte-order-mark-alone", post(b"\xef\xbb\xbf"), EMPTY),
    Case("empty-list", post(b"[]"), OneOf(EMPTY, Taken())),
    Case("empty-list-blank", post(b" [ \n ] "), OneOf(EMPTY, Taken())),
    Case("byte-order-mark-in-front", post(b'\xef\xbb\xbf{"a":1}'), Taken((b'{"a":1}',))),
    Case("byte-order-mark-twice", post(b'\xef\xbb\xbf\xef\xbb\xbf{"a":1}'),
         OneOf(NOT_JSON, Taken((), ((JSON, b'\xef\xbb\xbf{"a":1}'),)))),
    Case("text", post(b"hello"), NOT_JSON),
    Case("form", post(b"a=1&b=2"), NOT_JSON),
    Case("xml", post(b"<?xml version='1.0'?><a/>"), NOT_JSON),
    Case("yaml", post(b"a: 1\nb: 2"), NOT_JSON),
    Case("csv", post(b"a,b\n1,2\n"), NOT_JSON),
    Case("gzip-undeclared", post(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"), NOT_JSON),
    Case("nul-bytes", post(b"\x00" * 4096), NOT_JSON),
    Case("ff-bytes", post(b"\xff" * 4096), NOT_JSON),
    Case("quote-alone", post(b'"'), NOT_JSON),
    Case("open-string-alone", post(b'"abc'), NOT_JSON),
    Case("commas", post(b",,,,"), NOT_JSON),
    Case("colon", post(b":"), NOT_JSON),
    Case("closing-brace", post(b"}"), NOT_JSON),
    Case("closing-bracket", post(b"]"), NOT_JSON),
    Case("minus", post(b"-"), NOT_JSON),
    Case("nan", post(b"NaN"), NOT_JSON),
    Case("utf16-le", post('{"a":1}'.encode("utf-16-le")), Taken((), ((JSON, b'{\0"\0a\0"\0:\0' b"1\0}"), (JSON, b"\0")))),
    Case("utf16-be", post('{"a":1}'.encode("utf-16-be")), NOT_JSON),
    Case("utf16-marked", post('{"a":1}'.encode("utf-16")), NOT_JSON),
    Case("open-list", post(b"["), Taken((), ((JSON, b"["),))),
    Case("open-list-with-event", post(b'[{"a":1}'), Taken((b'{"a":1}',), ((JSON, b"["),))),
    Case("list-then-stray-bracket", post(b'[{"a":1}]]'), Taken((b'{"a":1}',), ((JSON, b"]"),))),
    Case("object-then-stray-brace", post(b'{"a":1}}'), Taken((b'{"a":1}',), ((JSON, b"}"),))),
    Case("separated-by-commas", post(b'{"a":1},{"a":2}'), Taken((b'{"a":1}', b'{"a":2}'), ((JSON, b","),))),
    Case("list-in-a-list", post(b'[[{"a":1}]]'), Taken((), (("not_an_object", b'[{"a":1}]'),))),
    Case("two-lists", post(b'[{"a":1}][{"a":2}]'), Taken((b'{"a":1}', b'{"a":2}'))),
    Case("lists-on-lines", post(b'[{"a":1}]\n[{"a":2}]\n'), Taken((b'{"a":1}', b'{"a":2}'))),
    Case("text-sequence", post(b'\x1e{"a":1}\n\x1e{"a":2}\n'),
         OneOf(NOT_JSON, Taken((), ((JSON, b'\x1e{"a":1}'), (JSON, b'\x1e{"a":2}'))))),
    Case("event-behind-text", post(b'oops\n{"a":1}'), Taken((b'{"a":1}',), ((JSON, b"oops"),))),
    Case("text-behind-event", post(b'{"a":1}\noops'), Taken((b'{"a":1}',), ((JSON, b"oops"),))),
    Case("nul-behind-event", post(b'{"a":1}\x00'), Taken((b'{"a":1}',), ((JSON, b"\x00"),))),
    Case("10000-bad-lines", post(b"\n".join([b'{"a":1}'] + [b"{]"] * 10_000)),
         Taken((b'{"a":1}',), ((JSON, b"{]"),) * 10_000)),
    Case("100000-open-brackets", post(b"[" * 100_000), Taken((), (((JSON, "too_deep", "too_large"), b"[" * 99_999),))),
    Case("100000-nested", post(b"[" * 100_000 + b"]" * 100_000),
         Taken((), (((JSON, "too_deep", "too_large", "not_an_object"), b"[" * 99_999 + b"]" * 99_999),))),
    Case("100000-nested-in-event", post(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
         Taken((), ((("too_deep", "too_large"), b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),))),
    Case("100000-nested-objects", post(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
         Taken((), ((("too_deep", "too_large"), b'{"a":' * 100_000 + b"1" + b"}" * 100_000),))),
    Case("string-of-2-mb", post(b'{"a":"' + b"x" * 2_000_000 + b'"}\n{"b":1}'),
         Taken((b'{"b":1}',), (("too_large", b'{"a":"' + b"x" * 2_000_000 + b'"}'),))),
    Case("open-string-of-2-mb", post(b'{"b":1}\n{"a":"' + b"x" * 2_000_000),
         Taken((b'{"b":1}',), (((JSON, "too_large"), b'{"a":"' + b"x" * 2_000_000),))),
    Case("backslashes-of-1-mb", post(b'{"a":"' + b"\\" * 1_000_000 + b'"}\n{"b":1}'),
         Taken((b'{"b":1}',), ((("too_large", JSON), b'{"a":"' + b"\\" * 1_000_000 + b'"}'),))),
    Case("too-many-events", post(b"1\n" * 300_000), Answered(413, "too_many_events")),
    Case("body-too-large-for-one-append", post(b"{]\n" * 130_000), Answered(413, "too_many_events")),
]


def keyed(*events, dead=(), **other):
    return post(b"\n".join(events), topic="keyed"), Taken(
        tuple(event for event in events if event not in dead), tuple(("missing_key", event) for event in dead),
        topic="keyed", **other)


def ids(*events, duplicates=0):
    return post(b"\n".join(events), topic="ids"), Taken(tuple(events[:len(events) - duplicates]),
                                                        duplicates=duplicates, topic="ids")


def value_cases():
    """Wrong types where the topic's pointers look: a key is needed, time and id are not."""
    for name, value in [("null", b"null"), ("object", b"{}"), ("list", b"[1]"), ("nested", b'{"k":1}')]:
        event = b'{"k":%s}' % value
        yield Case(f"key-{name}", *keyed(event, dead=(event,)))
    yield Case("key-absent", *keyed(b"{}", dead=(b"{}",)))
    yield Case("key-in-a-list-body", post(b'[{"K":1},{"k ":1}]', topic="keyed"),
               Taken((), (("missing_key", b'{"K":1}'), ("missing_key", b'{"k ":1}')), topic="keyed"))
    for name, value in [("empty", b'""'), ("number", b"1e400"), ("bool", b"false"), ("nul", b'"\\u0000"'),
                        ("long", b'"' + b"k" * 60_000 + b'"'), ("digits", b"9" * 1000), ("escapes", b'"\\ud834\\udd1e"')]:
        yield Case(f"key-{name}", *keyed(b'{"k":%s}' % value))
    yield Case("key-twice", *keyed(b'{"k":null,"k":1}', b'{"k":1,"\\u006b":2}'))
    yield Case("key-last-is-null", *keyed(b'{"k":1,"k":null}', dead=(b'{"k":1,"k":null}',)))
    times = ["null", "{}", "[]", "true", '""', '"now"', "-1", "1e400", "-1e400", "9" * 400, '"2026-02-30T00:00:00Z"',
             '"2026-13-01T00:00:00Z"', '"2026-01-01T25:00:00Z"', '"2026-01-01T00:00:00+99:99"', '"0000-00-00"',
             '"+275760-09-13T00:00:00Z"', '"1969-12-31T23:59:59Z"', '"2026-01-01T00:00:00\\u0000Z"', "9223372036854775807",
             "-9223372036854775808", "253402300800000", '"\\uff12026-01-01T00:00:00Z"', "1" + "0" * 308]
    for number, time in enumerate(times):
        yield Case(f"time-{number}", *keyed(b'{"k":"t","ts":%s}' % time.encode()))
    for number, time in enumerate(["0", "1.5", '"1970-01-01"', '"2026-06-30T23:59:60Z"']):
        yield Case(f"odd-time-{number}", *keyed(b'{"k":"u","ts":%s}' % time.encode()))
    for number, value in enumerate(["1e308", "1e400", "-1e400", '"1"', "null", "{}", "9" * 500, "1e-400", "true", "[1]"]):
        yield Case(f"sum-{number}", *keyed(*[b'{"k":"sum","n":%s}' % value.encode()] * 3))
    for name, value in [("null", b"null"), ("object", b"{}"), ("list", b"[]")]:
        yield Case(f"id-{name}", *ids(b'{"id":%s}' % value, b'{"id":%s}' % value))
    for name, value in [("empty", b'""'), ("number", b"1e400"), ("bool", b"true"), ("long", b'"' + b"i" * 60_000 + b'"'),
                        ("nul", b'"\\u0000"'), ("digits", b"7" * 2000)]:
        yield Case(f"id-{name}", *ids(b'{"id":%s}' % value, b'{"id":%s}' % value, duplicates=1))
    yield Case("id-escaped-is-the-same", *ids(b'{"id":"A"}', b'{"id":"\\u0041"}', duplicates=1))
    yield Case("id-of-a-dead-letter-is-free", post(b'{"id":"z",}\n{"id":"z"}', topic="ids"),
               Taken((b'{"id":"z"}',), ((JSON, b'{"id":"z",}'),), topic="ids"))


CASES = {
    "malformed": list(malformed_cases()),
    "bodies": list(good_cases()) + BODIES,
    "values": list(value_cases()),
}

