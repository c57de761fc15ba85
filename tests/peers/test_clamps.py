"""Commissioning the clamps in a real browser, on `dlb demo`: its clamps are waveforms through the real driver
of the converter, and the one on L2 is on backwards."""

import asyncio
import pathlib
import re
import signal
import subprocess

import pytest
from playwright.async_api import expect

from box import BINARY, free_port
from visitor import PHONE, browser


class Demo:
    """`dlb demo`, with its address and the password that it invented."""

    def __init__(self, directory: pathlib.Path):
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        self.process = subprocess.Popen(
            [BINARY, "demo", "--port", str(port), "--chargers", "6"],
            stdout=subprocess.PIPE,
            env={"TMPDIR": str(directory)},
            text=True,
        )
        said = iter(self.process.stdout.readline, "")
        self.password = next(line.split()[-1] for line in said if "Password" in line)

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=20)
        assert self.process.returncode == 0


@pytest.fixture
def demo(tmp_path):
    demo = Demo(tmp_path)
    yield demo
    demo.stop()


async def test_an_installer_reads_the_clamps_and_calibrates_one(demo):
    async with browser() as visit:
        visitor = await visit(demo)
        page = await visitor.sign_in("#/clamps")
        findings = page.get_by_role("region", name="Each clamp").get_by_role("listitem")
        # The cars take a while to come.
        await expect(findings.nth(1)).to_have_text(
            re.compile("L2: the clamp is on backwards, corrected."), timeout=90_000
        )
        await expect(page.get_by_role("img", name=re.compile("Currents over two cycles"))).to_be_visible()
        phasors = page.get_by_role("img", name=re.compile("Phasor diagram"))
        await expect(phasors).to_have_accessible_name(re.compile(r"L2: 2\d\d V at −1(19|20|21)°"))
        await expect(page.get_by_text(re.compile(r"[\d,]+ of [\d,]+ samples lost"))).to_be_visible()
        harmonics = page.get_by_role("img", name=re.compile("Harmonics of the current"))
        await expect(harmonics).to_have_accessible_name(re.compile(r"L1 THD \d+\.\d %"))
        await expect(harmonics.locator("rect")).to_have_count(57)
        waves = page.get_by_role("img", name=re.compile("over two cycles")).first.locator("path.curve").first
        before = await waves.get_attribute("d")
        await expect(waves).not_to_have_attribute("d", before)
        await visitor.photo("clamps")

        await page.get_by_role("button", name="Calibrate u1").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_role("button", name="Calibrate", exact=True).click()
        await expect(dialog.get_by_label("Your name")).to_have_accessible_description(re.compile("A name is needed"))
        volts = float((await dialog.get_by_text("dlb shows").inner_text()).split()[2])
        await dialog.get_by_label("The instrument shows").fill(f"{volts * 1.01:.1f}")
        await dialog.get_by_label("Your name").fill("K. Meier")
        await dialog.get_by_role("button", name="Calibrate", exact=True).click()
        await expect(dialog.get_by_text(re.compile(r"Corrected by [01]\.\d\d %"))).to_be_visible()
        await expect(dialog.get_by_role("listitem").first).to_contain_text("K. Meier")
        await visitor.photo("clamps-calibrated")
        await dialog.get_by_role("button", name="Take back").click()
        await expect(dialog.get_by_role("listitem").first).to_contain_text("taken back by K. Meier")
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("button", name="Calibrate u1")).to_be_focused()


async def test_the_clamps_fit_on_a_phone_in_german_and_dark(demo):
    async with browser() as visit:
        visitor = await visit(demo, PHONE, color_scheme="dark")
        page = await visitor.sign_in("#/clamps")
        await page.evaluate("localStorage.setItem('dlb.preferences', '{\"language\":\"de\"}')")
        await page.reload()
        await expect(page.get_by_role("heading", name="Stromwandler")).to_be_visible()
        await expect(page.get_by_role("img", name=re.compile("^Ströme")).locator("path.curve").first).to_be_visible()
        await asyncio.sleep(1)
        assert await visitor.sideways() is None
        await visitor.photo("clamps-phone")
