"""Requests that break or bend HTTP (RFC 9110, 9112), and names, queries and headers that are up to something.
Where the RFCs leave a choice, the case says so with OneOf; a refusal of framing always ends the connection."""
import gzip
import zlib

import pyarrow

from hostile import (PATH, PROBE, Answered, Case, Dropped, InOrder, OneOf, Refused, Taken, get, head, post)

EVENT = b'{"a":1}'
OK = Taken((EVENT,))
OK_THEN_CLOSED = Taken((EVENT,), closes=True)
BAD = Refused(400)
UNKNOWN_CODING = Refused((400, 501))  # RFC 9112 6.1
EMPTY = Answered(400, "empty_body")
LENGTH = f"Content-Length: {len(EVENT)}"


def with_head(*lines, body=EVENT):
    return head("POST", PATH, *lines) + body


def chunks(*parts, last=b"0\r\n\r\n"):
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + last


def chunked(body, *lines):
    return head("POST", PATH, "Transfer-Encoding: chunked", *lines) + body


# A body that looks like requests is lines that are no events, and one that is.
LINES_OF_A_REQUEST = Taken((b'{"smuggled":1}',), tuple(("invalid_json", line) for line in (
    b"GET /health/live HTTP/1.1", b"Host: h", b"Connection: close", b"POST /v1/topics/web/events HTTP/1.1", b"Host: h",
    b"Content-Length: 14")))

LENGTHS = [
    Case("length-and-chunked", with_head(LENGTH, "Transfer-Encoding: chunked", body=chunks(EVENT)), BAD),
    Case("chunked-and-length", with_head("Transfer-Encoding: chunked", LENGTH, body=chunks(EVENT)), BAD),
    Case("length-and-unknown-coding", with_head(LENGTH, "Transfer-Encoding: cow"), UNKNOWN_CODING),
    Case("two-lengths", with_head(LENGTH, "Content-Length: 8"), BAD),
    Case("two-lengths-shorter-first", with_head("Content-Length: 1", LENGTH), BAD),
    Case("same-length-twice", with_head(LENGTH, LENGTH), OneOf(BAD, OK)),
    Case("length-list", with_head("Content-Length: 7, 7"), OneOf(BAD, OK)),
    Case("length-list-differs", with_head("Content-Length: 7, 8"), BAD),
    *[Case(f"length-{name}", with_head(b"Content-Length: " + value), BAD) for name, value in [
        ("plus", b"+7"), ("minus", b"-7"), ("minus-zero", b"-0"), ("hex", b"0x7"), ("blank-inside", b"0 7"),
        ("empty", b""), ("letters", b"seven"), ("semicolon", b"7;"), ("comma", b"7,"), ("decimal", b"7.0"),
        ("exponent", b"7e0"), ("underscore", b"1_0"), ("quoted", b'"7"'), ("nul", b"7\x00"), ("vertical-tab", b"\x0b7"),
        ("form-feed", b"7\x0c"), ("arabic-digit", "\u0667".encode()), ("high-byte", b"7\xa0"), ("cr-inside", b"7\r7"),
    ]],
    Case("length-over-64-bits", with_head("Content-Length: 18446744073709551623"), Refused((400, 413))),
    Case("length-max-64-bits", with_head("Content-Length: 18446744073709551615"), Refused((400, 413))),
    Case("length-max-signed", with_head("Content-Length: 9223372036854775807"), Refused((400, 413))),
    Case("length-of-1000-digits", with_head("Content-Length: " + "9" * 1000), Refused((400, 413))),
    Case("length-over-the-limit", with_head("Content-Length: 4194305"), Refused(413, "body_too_large")),
    Case("length-leading-zeros", with_head("Content-Length: 0007"), OK),
    Case("length-with-tabs", with_head("Content-Length:\t7\t "), OK),
    Case("length-name-in-capitals", with_head("CONTENT-LENGTH: 7"), OK),
    Case("length-blank-before-colon", with_head("Content-Length : 7"), BAD),
    Case("length-tab-before-colon", with_head("Content-Length\t: 7"), BAD),
    Case("length-nul-in-name", with_head(b"Content-Length\x00: 7"), BAD),
    Case("length-folded", with_head(b"Content-Length:\r\n 7"), BAD),
    Case("length-hidden-in-a-fold", with_head(b"X: a\r\n Content-Length: 7"), BAD),
    Case("length-hidden-by-a-return", with_head(b"X: a\rContent-Length: 7"), BAD),
    Case("length-hidden-by-a-line-feed", with_head(b"X: a\nContent-Length: 7"), BAD),
    Case("length-misspelt", with_head("Content_Length: 7", body=b""), EMPTY),
    Case("length-connection-option", with_head(LENGTH, "Connection: Content-Length"), OK),
    Case("too-long", with_head("Content-Length: 100"), OneOf(BAD, Dropped()), "half"),
    Case("too-long-by-one", with_head("Content-Length: 8"), OneOf(BAD, Dropped()), "half"),
    Case("too-long-then-gone", with_head("Content-Length: 100"), Dropped(), "reset"),
    Case("too-short", with_head("Content-Length: 2", body=b"{}" + EVENT), InOrder(Taken((b"{}",)), BAD)),
    Case("zero-with-body", with_head("Content-Length: 0"), InOrder(EMPTY, BAD)),
    Case("none-with-body", with_head(), InOrder(EMPTY, BAD)),
    Case("half-a-head", b"POST /v1/topics/web/events HT", OneOf(BAD, Dropped()), "half"),
    Case("half-a-head-then-gone", b"POST /v1/topics/web/events HT", Dropped(), "reset"),
    Case("closing-its-side", post(EVENT), OK_THEN_CLOSED, "half"),
    Case("pipelined-events", post(EVENT) * 3, InOrder(OK, OK, OK)),
    Case("pipelined-100", post(EVENT) * 100, InOrder(*[OK] * 100)),
    Case("pipelined-behind-a-bad-length", post(EVENT) + with_head("Content-Length: x") + post(EVENT), InOrder(OK, BAD)),
    Case("request-in-a-body", post(PROBE + post(b'{"smuggled":1}')), LINES_OF_A_REQUEST),
    Case("request-behind-too-large",
         with_head("Content-Length: 99999999", body=post(b'{"smuggled":2}')), Refused(413, "body_too_large")),
    Case("request-in-a-get-body", head("GET", "/health/live", f"Content-Length: {len(PROBE)}") + PROBE, Answered(200)),
]

CODINGS = [
    *[Case(f"coding-{name}", with_head(b"Transfer-Encoding: " + value, body=chunks(EVENT)), UNKNOWN_CODING)
      for name, value in [
          ("unknown", b"xchunked"), ("cow", b"cow"), ("identity", b"identity"), ("gzip", b"gzip"),
          ("gzip-chunked", b"gzip, chunked"), ("chunked-gzip", b"chunked, gzip"), ("chunked-identity", b"chunked, identity"),
          ("chunked-twice", b"chunked, chunked"), ("quoted", b'"chunked"'), ("parameter", b"chunked;q=1"),
          ("empty", b""), ("comma", b"chunked,"), ("cut", b"chunke"), ("vertical-tab", b"\x0bchunked"),
          ("form-feed", b"chunked\x0c"), ("nul", b"chunked\x00"), ("high-byte", b"chunked\xa0"), ("two-words", b"chunked x"),
          ("single-quoted", b"'chunked'"), ("dotless", "chun\u212aed".encode())]],
    Case("coding-twice", chunked(chunks(EVENT), "Transfer-Encoding: chunked"), UNKNOWN_CODING),
    Case("coding-then-identity", chunked(chunks(EVENT), "Transfer-Encoding: identity"), UNKNOWN_CODING),
    Case("coding-blank-before-colon", with_head("Transfer-Encoding : chunked", body=chunks(EVENT)), BAD),
    Case("coding-tab-before-colon", with_head("Transfer-Encoding\t: chunked", body=chunks(EVENT)), BAD),
    Case("coding-folded", with_head(b"Transfer-Encoding:\r\n chunked", body=chunks(EVENT)), BAD),
    Case("coding-hidden-by-a-line-feed", with_head(b"X: a\nTransfer-Encoding: chunked", body=chunks(EVENT)), BAD),
    Case("coding-in-http-1.0", head("POST", PATH, "Transfer-Encoding: chunked", version="HTTP/1.0") + chunks(EVENT), BAD),
    Case("coding-in-capitals", with_head("TRANSFER-ENCODING: CHUNKED", body=chunks(EVENT)), OK),
    Case("coding-with-tabs", with_head("Transfer-Encoding:\tchunked\t", body=chunks(EVENT)), OK),
    Case("coding-misspelt", with_head("Transfer_Encoding: chunked", body=b""), EMPTY),
    Case("coding-trailers-allowed", chunked(chunks(EVENT), "TE: trailers"), OK),
]

CHUNKS = [
    *[Case(f"size-{name}", chunked(size + b"\r\n" + EVENT + b"\r\n0\r\n\r\n"), BAD) for name, size in [
        ("empty", b""), ("plus", b"+7"), ("minus", b"-7"), ("0x", b"0x7"), ("blank-before", b" 7"), ("blank-behind", b"7 "),
        ("tab-behind", b"7\t"), ("letter", b"g"), ("letter-behind", b"7g"), ("comma", b"7,7"), ("quoted", b'"7"'),
        ("nul", b"7\x00"), ("return", b"7\r"), ("underscore", b"0_7"), ("decimal", b"7.0"), ("high-byte", b"\xb7")]],
    Case("size-wraps-64-bits", chunked(b"10000000000000007\r\n" + EVENT + b"\r\n0\r\n\r\n"), Refused((400, 413))),
    Case("size-wraps-32-bits", chunked(b"100000007\r\n" + EVENT + b"\r\n0\r\n\r\n"), Refused((400, 413)), "half"),
    Case("size-max-64-bits", chunked(b"ffffffffffffffff\r\n" + EVENT), Refused((400, 413))),
    Case("size-of-2000-zeros", chunked(b"0" * 2000 + b"7\r\n" + EVENT + b"\r\n0\r\n\r\n"), BAD),
    Case("size-line-feed", chunked(b"7\n" + EVENT + b"\r\n0\r\n\r\n"), BAD),
    Case("data-line-feed", chunked(b"7\r\n" + EVENT + b"\n0\r\n\r\n"), BAD),
    Case("data-too-long", chunked(b"6\r\n" + EVENT + b"\r\n0\r\n\r\n"), BAD),
    Case("data-too-short", chunked(b"9\r\n" + EVENT + b"\r\n0\r\n\r\n"), BAD),
    Case("data-without-end", chunked(b"7\r\n" + EVENT + b"0\r\n\r\n"), BAD),
    Case("no-last-chunk", chunked(chunks(EVENT, last=b"")), OneOf(BAD, Dropped()), "half"),
    Case("half-a-size", chunked(b"7"), OneOf(BAD, Dropped()), "half"),
    Case("last-chunk-cut", chunked(chunks(EVENT, last=b"0\r\n")), OneOf(BAD, Dropped()), "half"),
    Case("last-line-feed", chunked(chunks(EVENT, last=b"0\r\n\n")), BAD),
    Case("extension", chunked(b'7;a="b;c"\r\n' + EVENT + b"\r\n0;x\r\n\r\n"), OK),
    Case("extension-blanks", chunked(b"7 ; a = b\r\n" + EVENT + b"\r\n0\r\n\r\n"), OneOf(OK, BAD)),
    Case("extension-line-feed", chunked(b"7;a\nb\r\n" + EVENT + b"\r\n0\r\n\r\n"), BAD),
    Case("extension-return", chunked(b"7;a\rb\r\n" + EVENT + b"\r\n0\r\n\r\n"), BAD),
    Case("extension-nul", chunked(b"7;\x00\r\n" + EVENT + b"\r\n0\r\n\r\n"), BAD),
    Case("extension-of-100-kb", chunked(b"7;" + b"e" * 100_000 + b"\r\n" + EVENT + b"\r\n0\r\n\r\n"), BAD),
    Case("trailer", chunked(chunks(EVENT, last=b"0\r\nX-Sum: 1\r\n\r\n")), OK),
    Case("trailer-length", chunked(chunks(EVENT, last=b"0\r\nContent-Length: 99\r\n\r\n")), OneOf(OK, BAD)),
    Case("trailer-coding", chunked(chunks(EVENT, last=b"0\r\nTransfer-Encoding: x\r\n\r\n")), OneOf(OK, BAD)),
    Case("trailer-folded", chunked(chunks(EVENT, last=b"0\r\nX: 1\r\n 2\r\n\r\n")), BAD),
    Case("trailer-line-feed", chunked(chunks(EVENT, last=b"0\r\nX: 1\n\r\n")), BAD),
    Case("trailer-nul", chunked(chunks(EVENT, last=b"0\r\nX: \x00\r\n\r\n")), BAD),
    Case("trailer-of-100-kb", chunked(chunks(EVENT, last=b"0\r\nX: " + b"t" * 100_000 + b"\r\n\r\n")), Refused((400, 431))),
    Case("trailers-100000", chunked(chunks(EVENT, last=b"0\r\n" + b"X: 1\r\n" * 100_000 + b"\r\n")), Refused((400, 431))),
    Case("one-byte-each", chunked(chunks(*[EVENT[i:i + 1] for i in range(len(EVENT))])), OK),
    Case("event-cut-by-100000-chunks", chunked(chunks(b'{"a":1', *[b" "] * 50_000, b"}")),
         Taken((b'{"a":1' + b" " * 50_000 + b"}",))),
    Case("over-the-limit", chunked(chunks(*[b" " * 65_536] * 65)), Refused(413, "body_too_large")),
    Case("nothing", chunked(b"0\r\n\r\n"), EMPTY),
]

LINES = [
    *[Case(f"line-{name}", line + b"\r\nHost: h\r\n\r\n", Refused(status)) for name, line, status in [
        ("http-0.9", b"GET /health/live", (400, 505)),
        ("http-2.0", b"GET /health/live HTTP/2.0", 505),
        ("http-3", b"GET /health/live HTTP/3.0", 505),
        ("http-0.1", b"GET /health/live HTTP/0.1", 505),
        ("version-two-digits", b"GET /health/live HTTP/1.10", (400, 505)),
        ("version-leading-zero", b"GET /health/live HTTP/01.1", (400, 505)),
        ("version-no-dot", b"GET /health/live HTTP/11", (400, 505)),
        ("version-minus", b"GET /health/live HTTP/-1.1", (400, 505)),
        ("version-lower-case", b"GET /health/live http/1.1", (400, 505)),
        ("version-misspelt", b"GET /health/live HTPT/1.1", (400, 505)),
        ("version-behind", b"GET /health/live HTTP/1.1x", (400, 505)),
        ("version-blank-behind", b"GET /health/live HTTP/1.1 ", (400, 505)),
        ("version-blank-inside", b"GET /health/live HTTP/ 1.1", (400, 505)),
        ("version-nul", b"GET /health/live HTTP/1.1\x00", (400, 505)),
        ("two-blanks", b"GET  /health/live HTTP/1.1", (400, 505)),
        ("blank-in-target", b"GET /health /live HTTP/1.1", (400, 505)),
        ("tab-in-target", b"GET /health\t/live HTTP/1.1", (400, 505)),
        ("tabs-between", b"GET\t/health/live\tHTTP/1.1", (400, 505)),
        ("blank-in-front", b" GET /health/live HTTP/1.1", 400),
        ("no-target", b"GET HTTP/1.1", (400, 505)),
        ("no-method", b"/health/live HTTP/1.1", (400, 505)),
        ("method-only", b"GET", (400, 505)),
        ("method-with-colon", b"GET: /health/live HTTP/1.1", 400),
        ("method-with-bracket", b"G(E)T /health/live HTTP/1.1", 400),
        ("method-high-byte", b"G\xc9T /health/live HTTP/1.1", 400),
        ("nul-in-target", b"GET /health/\x00live HTTP/1.1", 400),
        ("high-byte-in-target", b"GET /health/\xfflive HTTP/1.1", 400),
        ("fragment", b"GET /health/live#x HTTP/1.1", 400),
        ("no-slash", b"GET health/live HTTP/1.1", 400),
        ("query-only", b"GET ?a HTTP/1.1", 400),
        ("asterisk", b"GET * HTTP/1.1", 400),
        ("authority", b"GET h:80 HTTP/1.1", 400),
        ("absolute-without-host", b"GET http:///health/live HTTP/1.1", 400),
        ("connect", b"CONNECT h:80 HTTP/1.1", (400, 405, 501)),
        ("return-inside", b"GET /health\r/live HTTP/1.1", 400),
        ("preface-of-http-2", b"PRI * HTTP/2.0\r\n\r\nSM", (400, 505)),
        ("tls-hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", (400, 505)),
        ("ssh", b"SSH-2.0-OpenSSH_9.2", (400, 505)),
        ("smtp", b"EHLO example.org", (400, 505)),
        ("redis", b"*1\r\n$4\r\nPING", (400, 505)),
        ("memcached", b"set a 0 0 1", (400, 505)),
        ("proxy", b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2", (400, 505)),
        ("json", EVENT, (400, 505)),
        ("noise", bytes(range(128, 256)), (400, 505)),
        ("method-of-10-kb", b"G" * 10_000 + b" / HTTP/1.1", (400, 414, 431, 501)),
        ("target-of-9-kb", b"GET /" + b"a" * 9_000 + b" HTTP/1.1", 414),
        ("target-of-1-mb", b"GET /" + b"a" * (1 << 20) + b" HTTP/1.1", 414),
        ("query-of-9-kb", b"GET /v1/topics?" + b"a" * 9_000 + b" HTTP/1.1", 414)]],
    Case("line-http-1.0", b"GET /health/live HTTP/1.0\r\n\r\n", Refused(200)),
    Case("line-http-1.0-events", head("POST", PATH, LENGTH, version="HTTP/1.0", host="") + EVENT, OK_THEN_CLOSED),
    Case("line-http-1.2", head("GET", "/health/live", version="HTTP/1.2"), OneOf(Answered(200), Refused(505))),
    Case("line-blank-lines-in-front", b"\r\n\r\n" + get("/health/live"), Answered(200)),
    Case("line-feeds-in-front", b"\n\n" + get("/health/live"), OneOf(BAD, Answered(200))),
    Case("line-feeds-only", b"GET /health/live HTTP/1.1\nHost: h\n\n", OneOf(BAD, Answered(200))),
    Case("line-absolute", get("http://example.org:80/health/live"), Answered(200)),
    Case("line-absolute-https", get("https://example.org/health/live"), Answered(200)),
    Case("line-absolute-no-path", get("http://example.org"), Answered(200)),
    Case("line-absolute-query-only", get("http://example.org?a=1"), Answered(200)),
    Case("line-absolute-other-scheme", get("ftp://example.org/health/live"), OneOf(BAD, Answered((404, 421)))),
    Case("line-options-asterisk", head("OPTIONS", "*"), Answered((200, 204, 404, 405, 501))),
    Case("line-target-of-8-kb", get("/" + "a" * 8_000), Answered(404)),
    Case("line-empty-then-gone", b"\r\n" * 10_000, OneOf(Dropped(), BAD), "half"),
    Case("line-never-ending", b"A" * (1 << 20), Refused((400, 414, 431))),
    Case("line-nothing", b"", Dropped(), "half"),
]

HEADERS = [
    *[Case(f"header-{name}", head("GET", "/health/live", line), BAD) for name, line in [
        ("no-colon", b"Nonsense"), ("empty-name", b": x"), ("blank-in-name", b"X Y: 1"), ("tab-in-name", b"X\tY: 1"),
        ("nul-in-name", b"X\x00: 1"), ("nul-in-value", b"X: a\x00b"), ("control-in-value", b"X: a\x01b"),
        ("delete-in-value", b"X: \x7f"), ("bell-in-value", b"X: \x07"), ("escape-in-value", b"X: \x1b[2J"),
        ("high-byte-in-name", b"X\xff: 1"), ("bracket-in-name", b"X(Y): 1"), ("quote-in-name", b'"X": 1'),
        ("slash-in-name", b"X/Y: 1"), ("at-in-name", b"X@Y: 1"), ("equals-in-name", b"X=Y"), ("folded", b"X: a\r\n b"),
        ("folded-with-tab", b"X: a\r\n\tb"), ("folded-empty", b"X: a\r\n \r\nY: b"), ("return-in-value", b"X: a\rb"),
        ("return-before-end", b"X: a\r"), ("line-feed-in-value", b"X: a\nb"), ("line-feed-end", b"X: a\nY: b")]],
    Case("header-first-is-folded", b"GET /health/live HTTP/1.1\r\n Host: h\r\n\r\n", BAD),
    Case("header-latin1-value", head("GET", "/health/live", b"X: caf\xe9"), Answered(200)),
    Case("header-empty-value", get("/health/live", "X:"), Answered(200)),
    Case("header-100-of-them", get("/health/live", *["X: 1"] * 99), Answered(200)),
    Case("header-101-of-them", get("/health/live", *["X: 1"] * 100), Refused(431)),
    Case("header-100000-of-them", get("/health/live", *["X: 1"] * 100_000), Refused(431)),
    Case("header-100000-without-end", b"GET / HTTP/1.1\r\n" + b"X: 1\r\n" * 100_000, Refused(431), "half"),
    Case("header-of-40-kb", get("/health/live", "X: " + "x" * 40_000), Refused(431)),
    Case("header-of-10-mb", get("/health/live", "X: " + "x" * 10_000_000), Refused(431)),
    Case("header-name-of-40-kb", get("/health/live", "x" * 40_000 + ": 1"), Refused(431)),
    Case("host-missing", head("GET", "/health/live", host=""), BAD),
    Case("host-twice", get("/health/live", "Host: h"), BAD),
    Case("host-twice-differs", get("/health/live", "Host: other"), BAD),
    Case("host-empty", head("GET", "/health/live", host="Host:"), Answered(200)),
    *[Case(f"host-{name}", head("GET", "/health/live", host=b"Host: " + value), Answered(200)) for name, value in [
        ("port", b"h:80"), ("port-empty", b"h:"), ("ipv6", b"[::1]:80"), ("ipv4", b"127.0.0.1"), ("percent", b"a%20b"),
        ("sub-delims", b"a_b~!$&'()*+,;=c")]],
    *[Case(f"host-{name}", head("GET", "/health/live", host=b"Host: " + value), BAD) for name, value in [
        ("blank", b"a b"), ("slash", b"a/b"), ("userinfo", b"u@h"), ("query", b"a?b"), ("fragment", b"a#b"),
        ("port-letters", b"h:http"), ("two-ports", b"h:1:2"), ("open-bracket", b"[::1"), ("high-byte", b"h\xff"),
        ("quote", b'"h"'), ("angle", b"<h>"), ("bad-percent", b"h%zz"), ("backslash", b"a\\b")]],
    Case("expect-unknown", with_head(LENGTH, "Expect: tea"), Refused(417)),
    Case("expect-continue-with-body", with_head(LENGTH, "Expect: 100-continue"), OK),
    Case("expect-continue-in-capitals", with_head(LENGTH, "EXPECT: 100-CONTINUE"), OK),
    Case("expect-continue-too-large", head("POST", PATH, "Content-Length: 99999999", "Expect: 100-continue"), Refused(413)),
    Case("upgrade-h2c", with_head(LENGTH, "Upgrade: h2c", "Connection: Upgrade", "HTTP2-Settings: AAMAAABkAAQAAP__"), OK),
    Case("upgrade-websocket", get("/health/live", "Upgrade: websocket", "Connection: Upgrade"), Answered(200)),
    Case("connection-close", with_head(LENGTH, "Connection: close"), OK_THEN_CLOSED),
    Case("connection-close-among-others", with_head(LENGTH, "Connection: x, Close ,y"), OK_THEN_CLOSED),
    Case("method-override", with_head(LENGTH, "X-HTTP-Method-Override: DELETE"), OK),
    Case("rewrite-url", with_head(LENGTH, "X-Original-URL: /metrics", "X-Rewrite-URL: /metrics"), OK),
    Case("range-bomb", get("/v1/topics", "Range: bytes=" + ",".join(f"{i}-" for i in range(2000))), Answered(200)),
    Case("content-type-nonsense", with_head(LENGTH, "Content-Type: ;;;=,"), OK),
    *[Case(f"method-{method}", head(method, PATH, "Content-Length: 0"), Answered((405, 501))) for method in
      ("PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "BREW", "post", "P")],
    Case("method-delete-topic", head("DELETE", "/v1/topics/web"), Answered(405, "method_not_allowed")),
    Case("method-post-to-metrics", head("POST", "/metrics", "Content-Length: 2") + b"{}", Answered(405)),
    Case("method-head", head("HEAD", "/v1/topics/none"), Answered(404), head_only=True),
]


def encoded(body, *names):
    return post(body, *[f"Content-Encoding: {name}" for name in names])


def zstd(data):
    return pyarrow.compress(data, codec="zstd", asbytes=True)


GZIP = gzip.compress(EVENT)
BOMB = b" " * (64 << 20)
ENCODING = Refused(400, "bad_encoding")
TOO_LARGE = Refused(413, "body_too_large")
RAW_DEFLATE = zlib.compressobj(wbits=-15)

ENCODINGS = [
    Case("gzip", encoded(GZIP, "gzip"), OK),
    Case("gzip-in-capitals", encoded(GZIP, "GZip"), OK),
    Case("x-gzip", encoded(GZIP, "x-gzip"), OK),
    Case("deflate", encoded(zlib.compress(EVENT), "deflate"), OK),
    Case("zstd", encoded(zstd(EVENT), "zstd"), OK),
    Case("identity", encoded(EVENT, "identity"), OK),
    *[Case(f"unknown-{name}", encoded(EVENT, value), Refused(415)) for name, value in [
        ("br", "br"), ("compress", "compress"), ("lzma", "lzma"), ("word", "none"), ("star", "*"), ("quoted", '"gzip"'),
        ("parameter", "gzip;q=1"), ("semicolon", "gzip;")]],
    Case("twice-in-a-list", encoded(gzip.compress(GZIP), "gzip, gzip"), OneOf(Refused(415), OK)),
    Case("twice-in-two-lines", encoded(gzip.compress(GZIP), "gzip", "gzip"), OneOf(Refused(415), OK)),
    Case("two-kinds", encoded(zstd(GZIP), "gzip", "zstd"), OneOf(Refused(415), OK)),
    Case("16-kinds", encoded(EVENT, *["gzip"] * 16), Refused(415)),
    Case("wrong-kind", encoded(GZIP, "zstd"), ENCODING),
    Case("wrong-kind-deflate", encoded(GZIP, "deflate"), ENCODING),
    Case("not-gzip", encoded(EVENT, "gzip"), ENCODING),
    Case("not-zstd", encoded(EVENT, "zstd"), ENCODING),
    *[Case(f"gzip-cut-at-{size}", encoded(GZIP[:size], "gzip"), ENCODING) for size in (1, 3, 9, 10, 15, len(GZIP) - 1)],
    *[Case(f"zstd-cut-at-{size}", encoded(zstd(EVENT)[:size], "zstd"), ENCODING) for size in (1, 4, 5, 9)],
    Case("gzip-bad-checksum", encoded(GZIP[:-5] + bytes([GZIP[-5] ^ 1]) + GZIP[-4:], "gzip"), ENCODING),
    Case("gzip-bad-size", encoded(GZIP[:-1] + b"\x01", "gzip"), ENCODING),
    Case("gzip-bad-block", encoded(GZIP[:10] + b"\xff" * 20 + GZIP[-8:], "gzip"), ENCODING),
    Case("gzip-bad-method", encoded(GZIP[:2] + b"\x09" + GZIP[3:], "gzip"), ENCODING),
    Case("gzip-reserved-flags", encoded(GZIP[:3] + b"\xe0" + GZIP[4:], "gzip"), ENCODING),
    Case("gzip-garbage-behind", encoded(GZIP + b"garbage!", "gzip"), OneOf(ENCODING, OK)),
    Case("gzip-endless-name", encoded(GZIP[:3] + b"\x08" + GZIP[4:10] + b"n" * 1_000_000, "gzip"), ENCODING),
    Case("gzip-of-nothing", encoded(gzip.compress(b""), "gzip"), EMPTY),
    Case("gzip-20000-empty-members", encoded(gzip.compress(b"") * 20_000, "gzip"), EMPTY),
    Case("gzip-two-members", encoded(GZIP + gzip.compress(b'{"b":2}'), "gzip"), Taken((EVENT, b'{"b":2}'))),
    Case("gzip-of-bad-json", encoded(gzip.compress(b'{"z":1,}'), "gzip"), Taken((), (("invalid_json", b'{"z":1,}'),))),
    Case("gzip-bomb", encoded(gzip.compress(BOMB), "gzip"), TOO_LARGE),
    Case("gzip-bomb-of-brackets", encoded(gzip.compress(b"[" * (64 << 20)), "gzip"), TOO_LARGE),
    Case("gzip-bomb-of-members", encoded(gzip.compress(b" " * (1 << 20)) * 64, "gzip"), TOO_LARGE),
    Case("gzip-bomb-in-a-bomb", encoded(gzip.compress(gzip.compress(BOMB)), "gzip"), Answered(400, "invalid_json")),
    Case("gzip-bomb-chunked", chunked(chunks(gzip.compress(BOMB)), "Content-Encoding: gzip"), TOO_LARGE),
    Case("deflate-bomb", encoded(zlib.compress(BOMB), "deflate"), TOO_LARGE),
    Case("deflate-raw-bomb", encoded(RAW_DEFLATE.compress(BOMB) + RAW_DEFLATE.flush(), "deflate"), TOO_LARGE),
    Case("zstd-bomb", encoded(zstd(BOMB), "zstd"), TOO_LARGE),
    Case("zstd-bomb-of-frames", encoded(zstd(b" " * (1 << 20)) * 64, "zstd"), TOO_LARGE),
    Case("zstd-claims-2-to-62", encoded(b"\x28\xb5\x2f\xfd\xe0" + b"\0" * 7 + b"\x40" + b"\x01\0\0", "zstd"),
         Refused((400, 413))),
    Case("zstd-window-of-3-tb", encoded(b"\x28\xb5\x2f\xfd\x00\xf7" + b"\x01\0\0", "zstd"), Refused((400, 413))),
    Case("zstd-unknown-dictionary", encoded(b"\x28\xb5\x2f\xfd\x21\x07\x00\x01\0\0", "zstd"), ENCODING),
    Case("zstd-reserved-block", encoded(b"\x28\xb5\x2f\xfd\x20\x01\x0f\0\0a", "zstd"), ENCODING),
    Case("zstd-skippable-only", encoded(b"\x50\x2a\x4d\x18\x04\0\0\0abcd", "zstd"), OneOf(EMPTY, ENCODING)),
    Case("zstd-skippable-of-4-gb", encoded(b"\x50\x2a\x4d\x18\xff\xff\xff\xffabcd", "zstd"), ENCODING),
    Case("zstd-two-frames", encoded(zstd(EVENT) + zstd(b'{"b":3}'), "zstd"), Taken((EVENT, b'{"b":3}'))),
    Case("zstd-corrupt", encoded(zstd(EVENT * 50)[:-6] + b"\xff\xff\xff\xff\xff\xff", "zstd"), ENCODING),
    Case("gzip-of-nothing-sent", encoded(b"", "gzip"), OneOf(EMPTY, ENCODING)),
    Case("gzip-cut-by-the-end", head("POST", PATH, "Content-Encoding: gzip", "Content-Length: 99") + GZIP,
         OneOf(BAD, Dropped()), "half"),
]


CASES = {
    "lengths": LENGTHS, "codings": CODINGS + CHUNKS, "lines": LINES, "headers": HEADERS, "encodings": ENCODINGS,
}
