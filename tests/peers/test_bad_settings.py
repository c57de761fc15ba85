"""Ten thousand spoiled commands over a broker, and as many spoiled configurations: the running program keeps its
size, says what is wrong with each, and charges as before. Every run sends the same."""

import collections
import http.client
import json

import pytest

from mutation import Spoiler
from broker import Listener
from sites import Loads, mqtt, ocpp, site
from test_bad_input import Watched, good_charger
from waiting import eventually, in_thread

# A minute alone, more beside others.
pytestmark = pytest.mark.timeout(400)

COMMANDS = CONFIGURATIONS = 10_000
WARMING = 1_000


def spoiled_command(spoiler):
    topic, payload = spoiler.dice.choice(
        [
            ("set/strategy", "first-come"),
            ("set/site_limit", {"limit_a": [40, 41.5, 42], "lasts_s": 900}),
            ("set/site_limit", {"limit_a": None}),
            ("charger/good/set/limit", 13.5),
            ("charger/good/set/limit", None),
            ("charger/nobody/set/limit", 6),
        ]
    )
    text = spoiler.frame(payload)
    payload = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    if spoiler.dice.random() < 0.2:
        letters = "abcdefgh/_%é\U0001f600"
        at = spoiler.dice.randrange(len(topic))
        topic = topic[:at] + spoiler.dice.choice(letters) * spoiler.dice.choice([1, 1, 1, 50]) + topic[at + 1 :]
    return topic, payload


def send_commands(one, base, spoiler, count):
    """In bunches: each has arrived at the broker before the next one starts."""
    for begun in range(0, count, 100):
        receipts = []
        for _ in range(min(100, count - begun)):
            topic, payload = spoiled_command(spoiler)
            receipts.append(one.client.publish(f"{base}/{topic}", payload, qos=1))
        for receipt in receipts:
            receipt.wait_for_publish(10)


async def test_ten_thousand_spoiled_commands_leave_the_box_its_size(make_box, meter, broker):
    loads = Loads(meter, building=(40, 40, 40))
    box = await in_thread(make_box, site(meter, ocpp("GOOD"), mqtt=mqtt(broker)))
    one, base = Listener(broker.port), f"dlb/{box.id}"
    await in_thread(one.until, lambda: one.of(f"{base}/status") == "online")
    spoiler = Spoiler(seed=11)
    async with good_charger(box, loads) as good:
        await in_thread(send_commands, one, base, spoiler, WARMING)
        watched = Watched(box)
        await in_thread(send_commands, one, base, spoiler, COMMANDS - WARMING)
        # The box has got to the end of it: what is sent last, and only then, is heard.
        one.publish(f"{base}/charger/the-last/set/limit", "6")
        await in_thread(one.until, lambda: any("the-last" in it for it in one.all_of("/error")), 60)
        watched.check()
        errors = one.all_of("/error")
        print(f"{len(errors)} refusals were published")
        # Of many at once the oldest are dropped: nobody reads thousands.
        assert len(errors) > 100 and all(": " in it and it.endswith(".") for it in errors)
        one.publish(f"{base}/set/site_limit", '{"limit_a": null}')
        # Some commands were in earnest, and may have switched the car off, which rests then. One takes all back; the
        # topic of the limit may say 63 of a moment before.
        await eventually(lambda: in_thread(box.circuit), lambda grid: grid["lowered"] is None)
        await in_thread(one.until, lambda: one.of("grid/limit_l1") == "63")
        assert good.transaction is not None
    one.stop()


def check_configurations(box, spoiler, config, count):
    """The answers by their status; each refusal has its reason, each mistake a remedy."""
    cookie = "; ".join(f"{cookie.name}={cookie.value}" for cookie in box.http.cookies)
    headers = {"Content-Type": "application/json", "Origin": box.url, "Cookie": cookie}
    statuses = collections.Counter()
    line = http.client.HTTPConnection("127.0.0.1", box.page_port, timeout=10)
    for _ in range(count):
        body = spoiler.frame(config)
        body = body.encode(errors="surrogatepass") if isinstance(body, str) else body
        line.request("POST", "/api/v1/config/check", body, headers)
        answer = line.getresponse()
        said = json.loads(answer.read())
        statuses[answer.status] += 1
        if answer.status == 200:
            statuses["mistaken"] += bool(said["problems"])
            statuses["named"] += any(problem["key"] for problem in said["problems"])
            assert all(problem["what"] and problem["remedy"] for problem in said["problems"]), said
        else:
            assert said["error"]["message"] and said["error"]["remedy"], said
    line.close()
    return statuses


async def test_ten_thousand_spoiled_configurations_leave_the_box_its_size(make_box, meter):
    loads = Loads(meter, building=(30, 30, 30))
    box = await in_thread(make_box, site(meter, [*ocpp("GOOD"), *ocpp("OTHER", max_a=8, fallback_a=0)]))
    config = (await in_thread(box.get, "config"))["config"]
    spoiler = Spoiler(seed=12)
    async with good_charger(box, loads) as good:
        await in_thread(check_configurations, box, spoiler, config, WARMING)
        watched = Watched(box)
        rest = CONFIGURATIONS - WARMING
        statuses = await in_thread(check_configurations, box, spoiler, config, rest)
        print(statuses)
        # A mistake without a key is one of the whole, as "is no table".
        assert statuses["named"] > 0.9 * statuses["mistaken"] > rest / 4 and statuses[400] > rest / 10, statuses
        assert sum(count for status, count in statuses.items() if status in (200, 400, 413, 422)) == rest, statuses
        watched.check()
        assert (await in_thread(box.get, "config"))["version"] == 1
        await eventually(lambda: 20 <= good.draws() <= 32, seconds=30)
