"""Somebody in front of the page: Debian's Chromium, and what its console has to complain about."""

import contextlib
import pathlib

from playwright.async_api import async_playwright, expect

from box import PASSWORD

OUTPUT = pathlib.Path(__file__).resolve().parents[1] / "output"
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
DESK = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 800}
TELL_VIOLATIONS = """addEventListener('securitypolicyviolation', (event) =>
    console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`))"""
SIDEWAYS = """() => [...document.querySelectorAll('body *')]
    .filter((it) => it.getBoundingClientRect().right > innerWidth + 1 && it.checkVisibility())
    .map((it) => `${it.tagName}.${it.className}`).slice(0, 5)"""


class Visitor:
    """One browser of one person: its own cookies, its own preferences."""

    def __init__(self, box, context, page):
        self.box, self.context, self.page = box, context, page
        self.troubles = []
        self.expected = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.troubles.append(f"uncaught: {error}"))

    def _heard(self, message):
        if message.type in ("error", "warning"):
            self.troubles.append(f"{message.text} ({message.location.get('url', '')})")

    def expect_trouble(self, *parts):
        """A request that must be refused is told in the console, too."""
        self.expected.append(parts)

    def check(self):
        def foreseen(trouble):
            return any(all(part in trouble for part in parts) for parts in self.expected)

        unforeseen = [trouble for trouble in self.troubles if not foreseen(trouble)]
        assert unforeseen == [], unforeseen

    async def open(self, path=""):
        await self.page.goto(f"{self.box.url}/{path}")
        return self.page

    async def sign_in(self, path=""):
        await self.open(path)
        await self.page.get_by_label("Password", exact=True).fill(getattr(self.box, "password", PASSWORD))
        await self.page.get_by_role("button", name="Sign in").click()
        await expect(self.page.get_by_role("navigation", name="Main")).to_be_visible()
        return self.page

    async def go(self, path):
        """To another view, as a link would lead there."""
        await self.page.evaluate("path => { location.hash = path }", f"#/{path}")

    async def photo(self, name):
        OUTPUT.mkdir(exist_ok=True)
        return await self.page.screenshot(path=OUTPUT / f"{name}.png", full_page=True)

    async def sideways(self):
        """How far the page scrolls sideways, and what sticks out."""
        over = await self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        return (over, await self.page.evaluate(SIDEWAYS)) if over > 0 else None


@contextlib.asynccontextmanager
async def browser():
    """`async with browser() as visit: visitor = await visit(box, viewport)`"""
    async with async_playwright() as play:
        chromium = await play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        visitors = []

        async def visit(box, viewport=None, **rest):
            context = await chromium.new_context(viewport=viewport or DESK, locale="en-GB", **rest)
            context.set_default_timeout(15_000)
            await context.add_init_script(TELL_VIOLATIONS)
            visitor = Visitor(box, context, await context.new_page())
            visitors.append(visitor)
            return visitor

        yield visit
        for visitor in visitors:
            visitor.check()
        await chromium.close()
