"""Spoils messages in the ways that firmware, networks and ill will do: seeded, so that a failure repeats."""

import copy
import json
import random

NASTY = [
    None,
    True,
    "",
    " ",
    "NaN",
    "-1",
    "0",
    "1e400",
    "99999999999999999999",
    "x" * 5000,
    "\u0000",
    "ü\u202e\U0001f600",
    "'; DROP TABLE sessions; --",
    "../../etc/passwd",
    "0000-00-00T00:00:00Z",
    "9999-12-31T23:59:60Z",
    "2026-02-30T25:61:61+99:99",
    0,
    -1,
    -0.0,
    0.1,
    255,
    256,
    65_536,
    2**31,
    2**53 + 1,
    -(2**63),
    2**64,
    10**30,
    1e308,
    -1e308,
    [],
    {},
    [[]],
    [None] * 300,
    {"": {}},
]


class Spoiler:
    def __init__(self, seed):
        self.dice = random.Random(seed)

    def frame(self, message) -> str | bytes:
        """A JSON message, spoiled in its meaning, in its text, or in its bytes."""
        way = self.dice.random()
        if way < 0.6:
            for _ in range(self.dice.randint(1, 3)):
                message = self.structure(message)
            return json.dumps(message, ensure_ascii=self.dice.random() < 0.5)
        text = json.dumps(message)
        if way < 0.7:
            return self.dice.choice(
                [text[: self.dice.randrange(len(text))], text * 2, "[" * 20_000, '{"a":' * 5_000, "", "null", "[2]", " " + text + " \n", "\ufeff" + text]
            )
        spoiled = self.bytes(text.encode(), self.dice.randint(1, 6))
        # Bytes that are no UTF-8 end the connection: a few of them are enough.
        return spoiled if way > 0.99 else spoiled.decode(errors="replace")

    def structure(self, message):
        """The same message with one of its values changed, lost, doubled or moved."""
        message = copy.deepcopy(message)
        places = list(self._places(message))
        if not places:
            return self.dice.choice(NASTY)
        parent, key = self.dice.choice(places)
        way = self.dice.random()
        if way < 0.6:
            parent[key] = self.dice.choice(NASTY)
        elif way < 0.75:
            del parent[key]
        elif way < 0.85:
            other, place = self.dice.choice(places)
            parent[key] = copy.deepcopy(other[place])
        elif isinstance(parent, list):
            parent.insert(key, copy.deepcopy(parent[key]))
        else:
            parent[str(key) + self.dice.choice(["", "2", "\u0000", "é"])] = parent.pop(key)
        return message

    def _places(self, node):
        entries = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        for key, value in entries:
            yield node, key
            yield from self._places(value)

    def bytes(self, data: bytes, times=1) -> bytes:
        data = bytearray(data)
        for _ in range(times):
            if not data:
                break
            at = self.dice.randrange(len(data))
            match self.dice.randrange(5):
                case 0:
                    data[at] = self.dice.randrange(256)
                case 1:
                    data[at] ^= 1 << self.dice.randrange(8)
                case 2:
                    del data[at : at + self.dice.randint(1, 8)]
                case 3:
                    data[at:at] = self.dice.randbytes(self.dice.randint(1, 8))
                case 4:
                    data[at:at] = data[at : at + self.dice.randint(1, 30)]
        return bytes(data)
