"""Debian's mosquitto on a port of its own, and a client that remembers what it saw."""

import getpass
import json
import pathlib
import shutil
import socket
import subprocess
import threading
import time

import paho.mqtt.client as paho

from box import free_port

LOGIN = ("box", "three brave otters")
MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"


class Broker:
    """Starts, kills and restarts a broker that keeps nothing over a restart. With a certificate it speaks TLS
    and nothing else; with `login` it lets in nobody but LOGIN."""

    def __init__(self, directory: pathlib.Path, certificate=None, login=False):
        self.port = free_port()
        self.tls = certificate is not None
        self.config = directory / "mosquitto.conf"
        lines = [f"listener {self.port} 127.0.0.1", "persistence false", f"user {getpass.getuser()}"]
        if certificate:
            self.tls_files(directory, certificate)
            lines += [f"certfile {directory / 'server.pem'}", f"keyfile {directory / 'server.key'}"]
        if login:
            subprocess.run(["mosquitto_passwd", "-b", "-c", directory / "passwords", *LOGIN], check=True)
            lines += [f"password_file {directory / 'passwords'}"]
        lines += [f"allow_anonymous {'false' if login else 'true'}"]
        self.config.write_text("\n".join(lines) + "\n")
        self.log = open(directory / "mosquitto.log", "ab")
        self.process = None

    @staticmethod
    def tls_files(directory, certificate):
        """Of a trustme certificate; another one counts from the next start on."""
        (directory / "server.pem").write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
        (directory / "server.key").write_bytes(certificate.private_key_pem.bytes())

    @property
    def url(self):
        return f"{'mqtts' if self.tls else 'mqtt'}://localhost:{self.port}"

    def start(self):
        self.process = subprocess.Popen(
            [MOSQUITTO, "-c", self.config], stdout=self.log, stderr=subprocess.STDOUT
        )
        until = time.monotonic() + 10
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("mosquitto does not listen")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.kill()
        self.log.close()


class Listener:
    """Subscribes to everything; `retained` is what a client that comes later would be told."""

    def __init__(self, port, ca_file=None, login=None):
        self.topics = {}
        self.heard = []
        self.lock = threading.Lock()
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self.client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self.client.on_message = self.on_message
        if ca_file:
            self.client.tls_set(ca_certs=str(ca_file))
        if login:
            self.client.username_pw_set(*login)
        self.client.connect("localhost", port)
        self.client.loop_start()

    def on_message(self, _client, _userdata, message):
        payload = message.payload.decode(errors="replace")
        with self.lock:
            self.heard.append((time.monotonic(), message.topic, payload))
            if payload:
                self.topics[message.topic] = payload
            else:
                self.topics.pop(message.topic, None)

    def publish(self, topic, payload, **how):
        """Returns when the broker has it: without a receipt it may still wait in the client's own thread."""
        self.client.publish(topic, payload, qos=1, **how).wait_for_publish(10)

    def of(self, ending):
        """The value of the one topic that ends like this; `None` while there is none."""
        with self.lock:
            found = [value for topic, value in self.topics.items() if topic.endswith(ending)]
        assert len(found) <= 1, found
        return found[0] if found else None

    def json(self, ending):
        value = self.of(ending)
        return None if value is None else json.loads(value)

    def all_of(self, ending):
        with self.lock:
            return [value for _, topic, value in self.heard if topic.endswith(ending)]

    def snapshot(self):
        with self.lock:
            return dict(self.topics)

    def until(self, condition, seconds=15, every=0.05):
        end = time.monotonic() + seconds
        while True:
            value = condition()
            if value:
                return value
            assert time.monotonic() < end, f"not within {seconds} s; there is {sorted(self.snapshot().items())}"
            time.sleep(every)

    def stop(self):
        self.client.disconnect()
        self.client.loop_stop()
