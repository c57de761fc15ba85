"""The broker behind TLS and a login: Debian's mosquitto with certificates made here, right ones and wrong ones."""

import datetime

import pytest
import trustme
from playwright.async_api import expect

from broker import LOGIN, Broker, Listener
from sites import mqtt, site
from visitor import browser
from waiting import eventually, in_thread

USER, PASSWORD = LOGIN


@pytest.fixture
def authority():
    return trustme.CA()


@pytest.fixture
def make_broker(tmp_path):
    brokers = []

    def make(certificate, **keys):
        directory = tmp_path / f"broker{len(brokers)}"
        directory.mkdir()
        brokers.append(Broker(directory, certificate, **keys))
        return brokers[-1].start()

    yield make
    for broker in brokers:
        broker.stop()


def pem(authority):
    return authority.cert_pem.bytes().decode()


def put(box, path, body):
    answer = box.http.put(f"{box.url}/api/v1/{path}", json=body, headers={"Origin": box.url}, timeout=10)
    return answer.status_code, answer.json()


async def until(condition, seconds=20):
    return await eventually(lambda: in_thread(condition), seconds=seconds)


async def trouble(box, code, seconds=20):
    """The sentence, which the page and the alert share."""
    view = await until(lambda: (v := box.get("broker"))["state"] == "away" and v["trouble"]["code"] == code and v, seconds)
    return view["trouble"]["text"]


def alert(box, code):
    return [one["text"] for one in box.site()["alerts"] if one["code"] == code]


async def test_a_broker_with_tls_and_login_hears_the_box(make_box, meter, make_broker, authority, tmp_path):
    broker = make_broker(authority.issue_cert("localhost"), login=True)
    (tmp_path / "box0").mkdir(exist_ok=True)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    config = site(meter, [], mqtt=mqtt(broker, username=USER, ca_file="../ca.pem"))
    (tmp_path / "box0").rmdir()
    box = await in_thread(make_box, config)

    # Without its password it is turned away, and says so at once.
    assert "refuses the user box or the password" in await trouble(box, "broker-login")
    await until(lambda: alert(box, "broker-login"))
    assert await in_thread(put, box, "broker/password", {"password": "wrong"}) == (200, {"done": True})
    await trouble(box, "broker-login")
    await in_thread(put, box, "broker/password", {"password": PASSWORD})
    await until(lambda: box.get("broker")["state"] == "up")
    await until(lambda: not alert(box, "broker-login"))
    listener = Listener(broker.port, tmp_path / "ca.pem", LOGIN)
    await in_thread(listener.until, lambda: listener.of("/status") == "online")
    await in_thread(listener.until, lambda: listener.of("circuit/grid/current_l1"))

    # Commands come back the same way, and a restarted broker is found again.
    base = f"dlb/{box.id}"
    listener.publish(f"{base}/set/strategy", "priority")
    await until(lambda: box.site()["strategy"] == "priority")
    await in_thread(broker.kill)
    await until(lambda: box.get("broker")["state"] == "away")
    await in_thread(broker.start)
    await until(lambda: box.get("broker")["state"] == "up", seconds=40)
    await in_thread(listener.until, lambda: listener.of(f"{base}/status") == "online")

    # Nobody gets the password back.
    for path in ("broker", "config", "site", "openapi.json"):
        assert PASSWORD not in box.http.get(f"{box.url}/api/v1/{path}", timeout=5).text
    assert PASSWORD not in box.config.read_text() + box.read_log()
    assert (box.data / "secrets.toml").stat().st_mode & 0o077 == 0
    await in_thread(box.stop)
    await in_thread(listener.until, lambda: listener.of(f"{base}/status") == "offline")
    listener.stop()


async def test_what_is_wrong_with_the_brokers_certificate_is_said(make_box, meter, make_broker, authority):
    broker = make_broker(authority.issue_cert("localhost"))
    box = await in_thread(make_box, site(meter, [], mqtt=mqtt(broker)))
    assert "an authority (CA) that this box does not know" in await trouble(box, "broker-unknown-issuer")
    await until(lambda: alert(box, "broker-unknown-issuer"))

    # Another authority is not the right one.
    await in_thread(put, box, "broker/authority", {"pem": pem(trustme.CA())})
    assert "was not issued by the authority (CA) that was given" in await trouble(box, "broker-other-issuer")
    status, refused = await in_thread(put, box, "broker/authority", {"pem": "no certificate at all"})
    assert (status, refused["error"]["field"]) == (400, "pem"), refused
    await in_thread(put, box, "broker/authority", {"pem": pem(authority)})
    await until(lambda: box.get("broker")["state"] == "up")
    assert len((await in_thread(box.get, "broker"))["authorities"][0]["sha256"]) == 32 * 3 - 1
    await until(lambda: not alert(box, "broker-other-issuer"))

    def serve(certificate):
        broker.kill()
        broker.tls_files(broker.config.parent, certificate)
        broker.start()

    await in_thread(serve, authority.issue_cert("broker.example"))
    assert "is made out for broker.example, not for localhost" in await trouble(box, "broker-wrong-name")
    day = datetime.timedelta(days=1)
    now = datetime.datetime.now(datetime.timezone.utc)
    await in_thread(serve, authority.issue_cert("localhost", not_before=now - 9 * day, not_after=now - day))
    assert "has expired" in await trouble(box, "broker-expired")
    await in_thread(serve, authority.issue_cert("localhost", not_before=now + day, not_after=now + 9 * day))
    assert "is not valid yet" in await trouble(box, "broker-not-yet-valid")

    # That very certificate is believed by itself: neither its name nor its issuer counts then.
    pinned = trustme.CA().issue_cert("somewhere.else")
    await in_thread(serve, pinned)
    await trouble(box, "broker-other-issuer")
    await in_thread(put, box, "broker/authority", {"pem": pinned.cert_chain_pems[0].bytes().decode()})
    await until(lambda: box.get("broker")["state"] == "up")
    await until(lambda: not [one for one in box.alerts() if one[1].startswith("broker")])


async def test_a_broker_without_tls_on_that_port_gets_no_password(make_box, meter, make_broker):
    broker = make_broker(None)
    config = site(meter, [], mqtt=mqtt(broker, username=USER).replace("mqtt://", "mqtts://"))
    box = await in_thread(make_box, config)
    await in_thread(put, box, "broker/password", {"password": PASSWORD})
    assert "does not speak TLS" in await trouble(box, "broker-no-tls")
    assert "New client" not in (broker.config.parent / "mosquitto.log").read_text()


async def test_user_password_and_authority_are_set_on_the_page(make_box, meter, make_broker, authority, tmp_path):
    broker = make_broker(authority.issue_cert("localhost"), login=True)
    authority.cert_pem.write_to_path(tmp_path / "our-ca.pem")
    box = await in_thread(make_box, site(meter, []))
    async with browser() as visit:
        visitor = await visit(box)
        page = await visitor.sign_in("#/settings/broker")
        state = page.get_by_role("status").filter(has_text="broker")
        await expect(state).to_have_text("No broker is in use")
        await page.get_by_label("Publish to a broker").click()
        await page.get_by_label("Address").fill(broker.url)
        await page.get_by_label("User name").fill(USER)
        await page.get_by_label("Password", exact=True).fill("not this one")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Saved and in force")).to_be_visible()
        await expect(state).to_contain_text("an authority (CA) that this box does not know")
        await visitor.photo("broker-unknown")

        await page.get_by_label("Give a certificate (PEM)").set_input_files(tmp_path / "our-ca.pem")
        await expect(page.get_by_text("our-ca.pem: not saved yet.")).to_be_visible()
        await page.get_by_role("button", name="Save").click()
        await expect(state).to_contain_text("refuses the user box or the password")
        await expect(page.get_by_text("By these certificates only")).to_be_visible()

        await page.get_by_role("button", name="DE: Deutsch").click()
        await expect(state).to_contain_text("lehnt die Anmeldung ab")
        await page.get_by_role("button", name="EN: English").click()
        secret = page.get_by_label("Password", exact=True)
        await expect(secret).to_have_value("")
        await expect(page.get_by_text("Set. Type another one to replace it.")).to_be_visible()
        await secret.fill(PASSWORD)
        await page.get_by_role("button", name="Save").click()
        await expect(state).to_have_text("Connected to the broker")
        await visitor.photo("broker-up")

        # It is not shown again, not even to whoever typed it.
        await page.reload()
        await expect(secret).to_have_value("")
        await page.get_by_role("button", name="Forget the password").click()
        await expect(page.get_by_text("Is forgotten when you save.")).to_be_visible()
        await page.get_by_role("button", name="Save").click()
        await expect(state).to_contain_text("refuses the user box or the password")
        assert (await in_thread(box.get, "broker"))["password_set"] is False
