"""Fixtures: a box with a data directory of its own, and a meter that is not ours."""

import pytest

from box import Box
from broker import Broker, Listener
from meters import Meter


@pytest.fixture
def meter():
    """A pymodbus server that shows an Eastron SDM630."""
    meter = Meter()
    meter.start()
    yield meter
    meter.stop()


@pytest.fixture
def make_box(tmp_path):
    """Starts boxes from configurations; ends them, and shows their log when a test fails."""
    boxes = []

    def make(config: str, login=True) -> Box:
        directory = tmp_path / f"box{len(boxes)}"
        directory.mkdir()
        box = Box(directory, config)
        boxes.append(box)
        box.start()
        return box.login() if login else box

    yield make
    for box in boxes:
        box.stop()


@pytest.fixture
def broker(tmp_path):
    broker = Broker(tmp_path)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def listen(broker):
    listeners = []

    def make():
        listeners.append(Listener(broker.port))
        return listeners[-1]

    yield make
    for listener in listeners:
        listener.stop()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    directory = item.funcargs.get("tmp_path") if hasattr(item, "funcargs") else None
    if report.when == "call" and report.failed and directory:
        for log in sorted(directory.glob("*/dlb.log")):
            report.sections.append((str(log.parent.name), log.read_text(errors="replace")[-6000:]))
