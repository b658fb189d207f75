#!/usr/bin/env python3
"""Writes the corpus's hand-made part: tests/fuzz/seeds.py [DIRECTORY].

One file a case that the fuzzer would be long in finding by itself. The formats are told at the
beginning of each target. What a fuzzer found since then lies beside these files, under names of
its own.
"""
import pathlib
import struct
import sys

# Conversation::areas_
(WORKERS, HEARTBEATS, USER_CONTROL, USERS, LOG, INDEX, CHUNKS_0, CHUNKS_1, BYTES_0, BYTES_1,
 HEADER) = range(11)
SET, FLIP, ADD, FROM_HEAD, INVERSE, HALF = range(6)
WRAPPED, FAR, STAGED, LOCKED, COMMITTED, RECEIVING, DELIVERING, CLOSING = (1 << i for i in range(8))
MOST = (1 << 64) - 1

# Words of an area, by the offsets in shared/segment/layout.h.
IN_FLIGHT, BATCH, STAGED_CHUNKS, PUBLISHED_BATCH = 8, 9, 10, 24
STATUS, CURSOR_OFFSET, CURSOR_INDEX, CLOSE_AT = 0, 2, 5, 7
LOCK, HEAD, TAIL, INDEX_NEXT, INDEX_TAIL, INTENT_HEAD, ROOM_WANTED = 0, 8, 16, 17, 18, 19, 24


def word(area, how, index, value=0):
    return struct.pack("<BBHQ", area, how, index, value)


def frame(payload=b"", kind=1, descriptors=0, length=None):
    return struct.pack("<IHH", len(payload) if length is None else length, kind,
                       descriptors) + payload


def piece(data, descriptors=0, room=0):
    return struct.pack("<HBB", len(data), descriptors, room) + data


def channel():
    hello = frame(struct.pack("<I", 2))
    clients = frame(struct.pack("<IIII", 0, 1, 4, 1), 3, 2)
    closed = frame(struct.pack("<IIIi", 1, 1, 2, 104), 6)
    return {
        "conversation": piece(hello + closed) + piece(clients, 2) + piece(frame(kind=9)),
        "in-pieces": b"".join(piece(hello[i:i + 1]) for i in range(len(hello))),
        "lost-descriptors": piece(clients, 2, 1) + piece(clients, 2),
        "too-few": piece(clients, 1),
        "unclaimed": piece(hello, 253) + piece(hello, 253) + piece(hello, 1),
        "too-large": piece(frame(length=MOST & 0xffffffff)),
    }


def master_view():
    recover_both = bytes([2, 8])
    def case(situation, *words):
        return bytes([situation]) + b"".join(b"\0" + w for w in words) + recover_both
    return {
        "after-the-commit": case(STAGED | LOCKED | COMMITTED | DELIVERING),
        "beat-of-the-future": case(0, word(HEARTBEATS, SET, 0, MOST >> 1)) + struct.pack(
            "<BI", 3, 2500),
        "batch-too-long": case(STAGED, word(WORKERS, SET, STAGED_CHUNKS, 0xffffffff)),
        "cursor-beyond-head": case(WRAPPED | FAR, word(USERS, FROM_HEAD, 16 + CURSOR_OFFSET, 1)),
        "lock-of-nobody": case(LOCKED, word(LOG, SET, LOCK, 3)),
        "other-owner": case(CLOSING, word(USERS, FLIP, STATUS, 8)),
        "moving": bytes([RECEIVING, 0]) + word(USERS, SET, 16 + STATUS, 1 << 32 | 5) + bytes(
            [17]) + struct.pack("<II", 1, 1) + recover_both,
        "moving-closing": bytes([CLOSING, 17]) + struct.pack("<II", 1, 1) + recover_both,
        "coming-and-going": bytes([RECEIVING, 4, 10, 5]) + struct.pack("<II", 2, 1) + recover_both,
    }


def worker_view():
    # Settled by the account, served, spoken to, heard, ended.
    served = bytes([2, 3]) + struct.pack("<H", 300) + bytes([2, 4, 2, 6, 7, 2, 10, 5])
    def case(situation, *words, account=(8 * 46, 38)):
        return bytes([situation, 1, len(words)]) + struct.pack("<HH", *account) + b"".join(
            words) + served
    return {
        "header": bytes([0, 0, 4]) + struct.pack("<I", 7),
        "settled": case(STAGED | RECEIVING),
        "settled-writes": case(FAR | WRAPPED | DELIVERING),
        "settled-notice": case(RECEIVING | DELIVERING),
        "farewell": case(CLOSING | FAR),
        "batch-too-long": case(STAGED, word(WORKERS, SET, STAGED_CHUNKS, 513)),
        "chunk-beyond-the-area": case(STAGED, word(CHUNKS_0, SET, 5, 1 << 31)),
        "index-out-of-order": case(FAR, word(INDEX, SET, 3, 1)),
        "index-without-end": case(FAR, word(LOG, SET, INDEX_NEXT, 1 << 63)),
        "head-far-beyond": case(0, word(LOG, ADD, HEAD, 1 << 40)),
        "moving": case(STAGED) + bytes([10 + 3 * 11, 2, 10 + 4 * 11, 2, 3]) + struct.pack(
            "<H", 30) + bytes([2]),
        "moving-too-far": case(FAR, word(USERS, SET, 32 + 16 + STATUS, 1 << 32 | 5)),
        "room-never-enough": case(FAR, word(LOG, SET, ROOM_WANTED, MOST)),
    }


def options():
    def case(arguments="", environment="", file=""):
        return (arguments + "\n" + environment + "\n" + file).encode("latin-1")
    return {
        "all": case("--listen\n[::1]:9999\n--users=7\n--workers\n3\n--log-size=64K\n"
                    "--stall-limit=0.5\n--control=none\n--max-rate=9K\n--idle-timeout\n90.5\n"),
        "environment": case("", "LISTEN=127.0.0.1:0,[::1]:0\nHANG_LIMIT=9\nLOG_FORMAT=json\n"),
        "file": case("--config\n", "", 'users = 100\nlisten = ["127.0.0.1:1", "[::1]:1"]\n'
                     "log-size = 64G\n# quiet\nlog-level = off\n"),
        "file-with-sections": case("--config\n", "", "[server]\nusers = 3\n[[more]]\nx.y = '\"\n"),
        "file-with-quotes": case("--config\n", "", '\xef\xbb\xbfcontrol = "/a\\"b\\\\" # c\r\n'
                                 "deny = [\n  '10.0.0.0/8', ::1, # one\n]\nusers = 1\nusers = 2\n"),
        "listen": case("--listen=localhost:1,*:2,:3,4,[fe80::1%lo]:5\n--listen\n"
                       "[::]:6 ipv6only=on\n--uesrs\n7\n"),
        "sources": case("--source=talk:tcp:[fe80::1%lo]:5,serial:/dev/a,115200,unix:/x\n--stdin\n"
                        "--stdout=no\n--source-greeting\na\\n\\\\\n--source-silence=0.5\n"),
        "udp-sources": case("--source=udp:[ff12::1%lo]:5,listen:udp:192.0.2.255:5,talk:udp:a.b:65535\n"
                            "--source\nudp:0.0.0.0:0\n"),
        "two-lines-in-one": case("--users=1\r2\n"),
        "help": case("--help\n"),
        "unknown": case("--check-config\n--frobnicate=\x7f\n"),
    }


def proxy_header():
    signature = b"\r\n\r\n\0\r\nQUIT\n"
    def binary(command, family, block):
        return signature + struct.pack(">BBH", command, family, len(block)) + block
    ipv4 = bytes([203, 0, 113, 7, 192, 0, 2, 1]) + struct.pack(">HH", 4711, 9999)
    ipv6 = b"\x20\x01\x0d\xb8" + bytes(28) + struct.pack(">HH", 4711, 9999)
    return {
        "line": b"PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\nhello\n",
        "line-of-ipv6": b"PROXY TCP6 2001:db8::7 ::1 4711 9999\r\n",
        "line-of-mapped": b"PROXY TCP6 ::ffff:192.0.2.7 ::1 4711 9999\r\n",
        "line-of-unknown": b"PROXY UNKNOWN ffff::1 ::1 1 2\r\n",
        "line-without-end": b"PROXY UNKNOWN " + b"x" * 100,
        "ipv4": binary(0x21, 0x11, ipv4) + b"hello\n",
        "ipv6-with-details": binary(0x21, 0x21, ipv6 + b"\x03\x00\x04\xde\xad\xbe\xef"),
        "path": binary(0x21, 0x31, bytes(216)),
        "local": binary(0x20, 0x00, b""),
        "too-long": signature + b"\x21\x11\xff\xff",
    }


def bridged_batch():
    JOIN, BYTES, HERE, ASK = 1, 2, 3, 4
    def message(kind, epoch=7, base=0, start=0, chunks=(), data=b"", count=None, length=None):
        header = struct.pack("<4sI6QII", b"csb1", kind, 0x1234, epoch, base, start, 41, MOST,
                             len(chunks) if count is None else count,
                             len(data) if length is None else length)
        return header + b"".join(struct.pack("<IIIIQ", *chunk) for chunk in chunks) + data
    two = ((0, 1, 6, 0, 6), (3, 2, 4, 0, 1 << 33))
    return {
        "join": message(JOIN, epoch=0),
        "join-again": message(JOIN, epoch=0, base=900, start=900),
        "here": message(HERE),
        "ask": message(ASK, base=5, start=80),
        "bytes": message(BYTES, base=5, start=80, chunks=two, data=b"hello\nbye\n"),
        "bytes-without-end": message(BYTES, chunks=two, data=b"hello\n"),
        "chunks-without-bytes": message(BYTES, chunks=((0, 1, 0, 0, 6),), data=b""),
        "chunks-beyond-every-message": message(BYTES, count=0xffffffff, length=0xffffffff),
        "offset-beyond-every-log": message(BYTES, start=MOST, chunks=two, data=b"hello\nbye\n"),
        "base-beyond-offset": message(BYTES, base=81, start=80, chunks=two, data=b"hello\nbye\n"),
        "unknown-kind": message(9),
    }


def main():
    beside = pathlib.Path(__file__).parent / "corpus"
    top = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else beside
    for cases in (bridged_batch, channel, master_view, worker_view, options, proxy_header):
        directory = top / cases.__name__.replace("_", "-")
        directory.mkdir(parents=True, exist_ok=True)
        for name, data in cases().items():
            (directory / name).write_bytes(data)


main()
