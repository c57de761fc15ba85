"""The mirror on Debian's mosquitto, and the commands that come from there."""

import asyncio
import json
import os
import pathlib
import random
import re
import time


from box import pretty
from charge_points import Car, ObedientCharger, connected
from sites import Loads, mqtt, ocpp, site
from waiting import eventually, in_thread

GOLDEN = pathlib.Path(__file__).parent / "golden"


def golden(name, value):
    """Compares with the recorded message; `UPDATE_GOLDEN=1 tests/run peers -k mqtt` records anew."""
    path = GOLDEN / name
    text = pretty(value) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()


def without_volatile(message, box):
    text = re.sub(r'("sw": )"[0-9]+\.[0-9]+\.[0-9]+[^"]*"', r'\1"VERSION"', json.dumps(message))
    return json.loads(text.replace(box.id, "BOX"))


async def test_a_reading_appears_and_home_assistant_finds_everything(make_box, meter, broker, listen):
    Loads(meter, building=(10, 11, 12.5))
    box = await in_thread(make_box, site(meter, ocpp("CP-1"), mqtt=mqtt(broker)))
    one = listen()
    async with connected(ObedientCharger, box, "CP-1"):
        await in_thread(one.until, lambda: one.of("circuit/grid/current_l3") == "12.5")
        await in_thread(one.until, lambda: one.of("charger/cp-1/state") == "Available")
        assert one.of("/status") == "online"
        assert one.of("circuit/grid/headroom_l1") == "53"
        assert one.json("circuit/grid/json")["measured_a"] == {"L1": 10.0, "L2": 11.0, "L3": 12.5}
        charger = f"homeassistant/device/dlb_{box.id}_cp-1/config"
        await in_thread(one.until, lambda: "ObedientCharger" in (one.of(charger) or ""))
        whole = one.json(f"homeassistant/device/dlb_{box.id}/config")
        golden("home-assistant-box.json", without_volatile(whole, box))
        golden("home-assistant-charger.json", without_volatile(one.json(charger), box))
        for message in (whole, one.json(charger)):
            assert message["o"]["name"] == "dlb" and message["dev"]["ids"]
            for entity in message["cmps"].values():
                assert entity["p"] and entity["unique_id"] and entity["default_entity_id"]
                for key, value in entity.items():
                    if key == "state_topic":
                        assert value in one.snapshot(), f"nobody publishes {value}"
        one.publish(charger, "", retain=True)
        one.publish("homeassistant/status", "online")
        await in_thread(one.until, lambda: one.of(charger))


async def test_a_broker_that_nobody_wants_any_more_is_left_clean(make_box, meter, broker, listen):
    box = await in_thread(make_box, site(meter, ocpp("CP-1", "CP-2"), mqtt=mqtt(broker)))
    one = listen()
    gone = f"homeassistant/device/dlb_{box.id}_cp-2/config"
    await in_thread(one.until, lambda: one.of(gone) and one.of("charger/cp-2/json"))

    def save(change):
        read = box.get("config")
        change(read["config"])
        headers = {"Origin": box.url, "If-Match": str(read["version"])}
        answer = box.http.put(f"{box.url}/api/v1/config", json=read["config"], headers=headers, timeout=10)
        assert answer.ok, answer.text

    await in_thread(save, lambda config: config["charger"].pop())
    await in_thread(one.until, lambda: not one.of(gone) and not one.of("charger/cp-2/json"))
    assert one.of("charger/cp-1/json")
    # Also what was removed while the box was off.
    box.stop()
    one.until(lambda: one.of("/status") == "offline")
    one.publish(f"dlb/{box.id}/charger/old/json", "{}", retain=True)
    box.log = open(box.directory / "dlb.log", "ab")
    await in_thread(lambda: box.start().login())
    await in_thread(one.until, lambda: one.of("/status") == "online" and not one.of("charger/old/json"))
    await in_thread(save, lambda config: config.update(mqtt=None))
    left = lambda: [topic for topic in one.snapshot() if not topic.endswith("/status")]
    await in_thread(one.until, lambda: not left() and one.of("/status") == "offline")


async def test_a_site_limit_over_mqtt_lowers_the_chargers_and_ends(make_box, meter, broker, listen):
    loads = Loads(meter, building=(10, 10, 10))
    box = await in_thread(make_box, site(meter, ocpp("CP-1"), mqtt=mqtt(broker)))
    one = listen()
    async with connected(ObedientCharger, box, "CP-1") as charger:
        loads.chargers = [charger]
        await charger.plug(Car())
        await eventually(lambda: charger.draws() > 31, seconds=30)
        base = f"dlb/{box.id}"
        # The box says online when it listens for commands.
        await in_thread(one.until, lambda: one.of(f"{base}/status") == "online")
        # Downwards only.
        one.publish(f"{base}/set/site_limit", '{"limit_a": 500, "lasts_s": 600}')
        await in_thread(one.until, lambda: one.of("grid/lowered") == "true")
        assert one.of("grid/limit_l1") == "63"
        one.publish(f"{base}/set/site_limit", '{"limit_a": 20, "lasts_s": 12}')
        await eventually(lambda: charger.draws() <= 10.01, seconds=5)
        await in_thread(one.until, lambda: one.of("grid/limit_l1") == "20")
        await eventually(lambda: charger.draws() > 31, seconds=40)
        await in_thread(one.until, lambda: one.of("grid/lowered") == "false")
        one.publish(f"{base}/charger/cp-1/set/limit", "8")
        await eventually(lambda: charger.draws() <= 8.0, seconds=5)
        await in_thread(one.until, lambda: one.of("charger/cp-1/held") == "8")
        one.publish(f"{base}/charger/cp-1/set/limit", "null")
        await eventually(lambda: charger.draws() > 31, seconds=40)
        one.publish(f"{base}/set/strategy", "priority")
        await in_thread(one.until, lambda: one.of(f"{box.id}/strategy") == "priority")


async def test_a_command_that_the_broker_repeats_is_refused(make_box, meter, broker, listen):
    box = await in_thread(make_box, site(meter, ocpp("CP-1"), mqtt=mqtt(broker)))
    one = listen()
    # Before the box says that it listens, even the first would be one that the broker repeats.
    await in_thread(one.until, lambda: one.of(f"dlb/{box.id}/status") == "online")
    one.publish(f"dlb/{box.id}/set/strategy", "departure", retain=True)
    await in_thread(one.until, lambda: one.of(f"{box.id}/strategy") == "departure")
    await in_thread(box.kill)
    await in_thread(lambda: box.start().login())
    await in_thread(one.until, lambda: [e for e in one.all_of("/error") if "retain" in e])
    assert (await in_thread(box.site))["strategy"] == "equal"


async def test_a_broker_dies_and_the_loop_does_not_notice(make_box, meter, broker, listen):
    loads = Loads(meter, building=(20, 20, 20))
    box = await in_thread(make_box, site(meter, ocpp("CP-1"), mqtt=mqtt(broker)))
    before = listen()
    async with connected(ObedientCharger, box, "CP-1") as charger:
        loads.chargers = [charger]
        await charger.plug(Car())
        await eventually(lambda: charger.draws() > 31, seconds=30)
        await in_thread(before.until, lambda: before.of("cp-1/state") == "Charging")
        mine = lambda one: {topic for topic in one.snapshot() if topic.startswith(("dlb/", "homeassistant/"))}
        await in_thread(before.until, lambda: len([t for t in mine(before) if t.endswith("/config")]) == 2)
        # Sessions end meanwhile, and with them their topics.
        kept = {topic for topic in mine(before) if "/event/" not in topic and "/session" not in topic}
        await in_thread(broker.kill)
        lowered = []
        for load in (40, 50, 45, 52, 30):
            charger.received.clear()
            said = time.monotonic()
            loads.building = [load] * 3
            if load > 30:
                await eventually(lambda: charger.received, seconds=8, every=0.02)
                lowered.append(charger.received[0][0] - said)
            await asyncio.sleep(1)
        assert max(lowered[:2] + lowered[3:]) < 2.5, lowered
        await charger.unplug()
        await in_thread(broker.start)
        after = listen()
        await in_thread(after.until, lambda: kept <= mine(after), seconds=45)
        # What happened meanwhile is told now.
        ended = lambda: [e for e in after.all_of("event/session") if json.loads(e)["event"] == "ended"]
        await in_thread(after.until, ended, seconds=10)
        assert after.of("/status") == "online"
        await in_thread(box.kill)
        await in_thread(after.until, lambda: after.of("/status") == "offline", seconds=40)


async def test_five_hundred_mutated_commands_do_no_harm(make_box, meter, broker, listen):
    box = await in_thread(make_box, site(meter, ocpp("CP-1"), mqtt=mqtt(broker)))
    one = listen()
    base = f"dlb/{box.id}"
    await in_thread(one.until, lambda: one.of("charger/cp-1/json"))
    seed = random.SystemRandom().randrange(2**32) if "SEED" not in os.environ else int(os.environ["SEED"])
    print(f"SEED={seed}")
    chance = random.Random(seed)
    good = [
        ("set/strategy", b"equal"),
        ("set/site_limit", b'{"limit_a": [40, 41, 42], "lasts_s": 900}'),
        ("set/site_limit", b'{"limit_a": null}'),
        ("charger/cp-1/set/limit", b"13.5"),
        ("charger/none/set/limit", b"null"),
        ("set/fuse", b"80"),
    ]
    for _ in range(500):
        topic, payload = chance.choice(good)
        one.client.publish(f"{base}/{topic}", mutated(chance, payload), qos=1)
        await asyncio.sleep(0.002)
    one.publish(f"{base}/set/strategy", "no such thing")
    sentence = 'set/strategy: "no such thing" is no strategy; send equal, first-come, priority or departure.'
    await in_thread(one.until, lambda: sentence in one.all_of("/error"))
    errors = one.all_of("/error")
    assert len(errors) > 200
    assert all(len(error) < 400 and error.endswith(".") for error in errors), errors
    one.publish(f"{base}/set/strategy", "departure")
    await in_thread(one.until, lambda: one.of(f"{box.id}/strategy") == "departure")
    # A message that no box can want costs the connection, and that comes back.
    one.publish(f"{base}/set/strategy", b"x" * 1_000_000)
    await in_thread(one.until, lambda: one.of(f"{base}/status") == "offline")
    await in_thread(one.until, lambda: one.of(f"{base}/status") == "online")
    assert box.process.poll() is None and "panic" not in box.read_log()


def mutated(chance, payload):
    payload = bytearray(payload)
    for _ in range(chance.randrange(1, 5)):
        kind = chance.randrange(5)
        at = chance.randrange(len(payload) + 1)
        if kind == 0 and payload:
            payload[min(at, len(payload) - 1)] = chance.randrange(256)
        elif kind == 1:
            del payload[at:]
        elif kind == 2:
            payload[at:at] = chance.choice([b"-", b"e999", b"[" * 200, b'"', b"\0", b"null", b"99999999999999999999"])
        elif kind == 3:
            payload = payload * chance.choice([2, 100])
        else:
            payload[at : at + 3] = b""
    return bytes(payload[:60_000])


async def test_a_broker_of_readers_takes_no_commands(make_box, meter, broker, listen):
    box = await in_thread(make_box, site(meter, ocpp("CP-1"), mqtt=mqtt(broker, read_only=True, discovery_prefix="")))
    one = listen()
    await in_thread(one.until, lambda: one.of("charger/cp-1/json"))
    one.publish(f"dlb/{box.id}/set/strategy", "priority")
    await asyncio.sleep(4)
    assert (await in_thread(box.site))["strategy"] == "equal"
    assert not [topic for topic in one.snapshot() if topic.startswith("homeassistant/")]
