"""One box for the whole run: it boots once, and goes through all that the tests do to it, in their order."""

import pathlib
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peers"))

from emulator import WORK, Emulator  # noqa: E402
from meters import Meter  # noqa: E402


@pytest.fixture(scope="session")
def box():
    """A box that has never run before, switched on."""
    directory = WORK / "check"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    box = Emulator(directory)
    box.on()
    yield box
    box.cut()


@pytest.fixture
def meter():
    """A pymodbus server on this machine."""
    meter = Meter()
    meter.start()
    yield meter
    meter.stop()
