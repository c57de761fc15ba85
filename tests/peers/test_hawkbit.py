"""Updates from an update server that speaks hawkBit's Direct Device Integration API, installed by RAUC."""

import http.server
import json
import ssl
import threading

import pytest
import trustme

from box import free_port
from rauc import Installer, rauc_on_a_bus
from sites import site
from test_rauc import RESTART_MACHINE, appliance, asleep, phase, until
from waiting import eventually, in_thread

TOKEN = "a-token-of-this-box"


class Hawkbit:
    """One server, one box, one deployment; remembers what it is told. Its messages are those of hawkBit's API
    description."""

    def __init__(self, authority=None):
        self.port = free_port()
        self.url = f"{'https' if authority else 'http'}://127.0.0.1:{self.port}"
        self.action, self.update, self.attributes = None, "forced", None
        self.feedback, self.strangers, self.links_elsewhere = [], 0, False
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.answer(self, None)

            def do_POST(self):
                outer.answer(self, json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

            do_PUT = do_POST

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        if authority:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert("127.0.0.1").configure_cert(tls)
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request, body):
        if request.headers.get("Authorization") != f"TargetToken {TOKEN}":
            self.strangers += 1
            return self.send(request, {}, 401)
        path = request.path.split("?")[0].removeprefix("/DEFAULT/controller/v1/bay-7")
        if path.endswith("/feedback"):
            self.feedback.append((path, body["status"]))
            if body["status"]["execution"] in ("closed", "rejected"):
                self.action = None
            return self.send(request, {})
        if path == "/configData":
            self.attributes = body["data"]
            return self.send(request, {})
        if path == "":
            return self.send(request, self.poll())
        return self.send(request, self.deployment())

    def poll(self):
        home = f"{self.url}/DEFAULT/controller/v1/bay-7"
        links = {}
        if self.attributes is None:
            links["configData"] = {"href": f"{home}/configData"}
        if self.action:
            host = "http://127.0.0.1:1/x" if self.links_elsewhere else home
            links["deploymentBase"] = {"href": f"{host}/deploymentBase/{self.action}?c=-2127183556"}
        return {"config": {"polling": {"sleep": "00:00:10"}}, "_links": links}

    def deployment(self):
        artifact = {"filename": "dlb.raucb", "hashes": {"sha1": "0", "md5": "0", "sha256": "0"}, "size": 7,
                    "_links": {"download-http": {"href": f"{self.url}/artifacts/dlb.raucb"}}}
        chunk = {"part": "os", "version": "3.0.0", "name": "dlb", "artifacts": [artifact]}
        return {"id": self.action,
                "deployment": {"download": self.update, "update": self.update, "chunks": [chunk]}}

    def send(self, request, value, status=200):
        body = json.dumps(value).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/hal+json;charset=UTF-8")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def executions(self):
        return [(status["execution"], status["result"]["finished"]) for _, status in self.feedback]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def hawkbit():
    server = Hawkbit()
    yield server
    server.stop()


def config(meter, hawkbit):
    section = f'[hawkbit]\nserver = "{hawkbit.url}"\nname = "bay-7"\nwait_for_cars = false\n'
    return site(meter, [], mqtt=section)


async def eventually_told(hawkbit, wanted, seconds=40):
    await eventually(hawkbit.executions, lambda told: wanted in told, seconds)


async def test_a_server_hands_out_an_update_and_hears_how_it_ended(tmp_path, meter, monkeypatch, hawkbit):
    installer = Installer()
    installer.may_finish.set()
    hawkbit.action = "8"
    async with rauc_on_a_bus(installer) as address:
        async with appliance(tmp_path, config(meter, hawkbit), address, monkeypatch) as box:
            await phase(box, "idle")
            told = await until(box, "site", lambda it: "update-server" in str(it["alerts"]) or hawkbit.strangers)
            await in_thread(box.post, "update/server-token", {"token": TOKEN})
            status = await in_thread(box.process.wait, 90)
            assert status == RESTART_MACHINE
            source, args = installer.installed[0]
            assert source == f"{hawkbit.url}/artifacts/dlb.raucb"
            assert args["http-headers"] == [f"Authorization: TargetToken {TOKEN}"]
            assert hawkbit.attributes == {"version": "1.2.3", "compatible": "dlb-test",
                                          "program": hawkbit.attributes["program"]}
            assert ("proceeding", "none") in hawkbit.executions()
            assert ("closed", "success") not in hawkbit.executions(), told

            asleep(box)
            installer.restart_into("B", good=True)
            await in_thread(lambda: box.start().login())
            await eventually_told(hawkbit, ("closed", "success"))
            assert not list((box.data / "update").glob("report.json"))
            assert TOKEN not in box.read_log()


async def test_a_bundle_that_is_refused_is_reported_with_its_sentence(tmp_path, meter, monkeypatch, hawkbit):
    class Older(Installer):
        def read(self, source):
            return "dlb-test", "0.0.9"

    installer = Older()
    async with rauc_on_a_bus(installer) as address:
        async with appliance(tmp_path, config(meter, hawkbit), address, monkeypatch) as box:
            await in_thread(box.post, "update/server-token", {"token": TOKEN})
            hawkbit.action = "9"
            await eventually_told(hawkbit, ("closed", "failure"), seconds=90)
            assert "older than what runs" in hawkbit.feedback[-1][1]["details"][0]
            assert installer.installed == []
            assert (await in_thread(box.get, "update"))["problem"]["code"] == "older"


async def test_an_update_server_is_talked_to_over_tls_if_its_certificate_is_good(tmp_path, meter, monkeypatch):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    hawkbit = Hawkbit(authority)
    try:
        async with rauc_on_a_bus() as address:
            # The authorities that the system trusts: at first, not this one's.
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "other.pem"))
            async with appliance(tmp_path, config(meter, hawkbit), address, monkeypatch) as box:
                await in_thread(box.post, "update/server-token", {"token": TOKEN})
                picture = await until(box, "site", lambda told: "update-server" in str(told["alerts"]))
                assert "certificate" in str(picture["alerts"]), picture["alerts"]
                assert hawkbit.attributes is None and hawkbit.strangers == 0
                await in_thread(box.kill)

                monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
                await in_thread(lambda: box.start().login())
                hawkbit.action = "8"
                await eventually_told(hawkbit, ("proceeding", "none"))
                assert hawkbit.attributes["compatible"] == "dlb-test"
                assert TOKEN not in box.read_log()
    finally:
        hawkbit.stop()
