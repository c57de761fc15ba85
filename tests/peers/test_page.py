"""The page in a real browser, served by the real program. A complaint in the browser's console, of its
content policy above all, fails the test. Screenshots are left in `tests/output`."""

import re
import time

import pytest
from playwright.async_api import expect

from box import PASSWORD
from charge_points import Car, ObedientCharger, connected
from sites import Loads, ocpp, site
from visitor import PHONE, browser
from waiting import eventually, in_thread

# What has the focus, and whether it is marked and not covered by anything else.
FOCUS = """() => {
    const it = document.activeElement;
    const near = it.closest('label, .find') ?? it;
    // The browser marks the calendar's button inside a date field itself.
    const calendar = it.type?.startsWith('date') && !it.matches(':focus-visible');
    const marked = calendar || [it, near].some((e) => {
        const { outlineStyle, outlineWidth } = getComputedStyle(e);
        return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2;
    });
    const { left, top, width, height } = near.getBoundingClientRect();
    const seen = document.elementFromPoint(left + width / 2, Math.min(top + height / 2, innerHeight - 1));
    const covered = !near.contains(seen) && !seen?.contains(near);
    const name = it.getAttribute('href') ?? it.getAttribute('aria-label') ?? it.labels?.[0]?.textContent.trim() ?? it.textContent.trim();
    return [it === document.body ? '#content' : `${name} ${covered ? 'covered' : ''}`, it === document.body || (marked && !covered)];
}"""
VIEWS = {
    "dashboard": "",
    "charger": "charger/cp-1",
    "history": "history",
    "system": "system",
    "settings": "settings",
    "settings-site": "settings/site",
    "settings-circuits": "settings/circuits",
    "settings-meters": "settings/meters",
    "settings-chargers": "settings/chargers",
    "settings-ports": "settings/ports",
    "settings-contacts": "settings/contacts",
    "settings-broker": "settings/broker",
    "settings-policy": "settings/policy",
    "settings-versions": "settings/versions",
    "welcome": "welcome",
    "nowhere": "nowhere",
}


def row_of(page, charger):
    """Its line in the dashboard's list."""
    return page.get_by_role("region", name=re.compile("^Chargers")).locator(f'a[href="#/charger/{charger}"]')


async def test_the_first_visitor_sets_the_password_and_the_next_needs_it(make_box, meter):
    box = await in_thread(make_box, site(meter, []), login=False)
    async with browser() as visit:
        first = await visit(box)
        page = await first.open()
        await expect(page.get_by_role("heading", name="Your box, your password")).to_be_visible()
        await page.get_by_label("New password").fill("short")
        await page.get_by_label("Repeat it").fill("short")
        await page.get_by_role("button", name="Set password").click()
        await expect(page.get_by_label("New password")).to_have_accessible_description(
            re.compile("5 characters to go, at least 10.")
        )
        assert (await in_thread(box.get, "setup"))["needs_password"]
        await first.photo("first-start")

        await page.get_by_label("New password").fill(PASSWORD)
        await page.get_by_label("Repeat it").fill(PASSWORD)
        await page.get_by_role("button", name="Set password").click()
        await expect(page.get_by_role("heading", name="Welcome")).to_be_visible()

        second = await visit(box)
        second.expect_trouble("401", "/api/v1/login")
        page = await second.open()
        await page.get_by_label("Password", exact=True).fill("something else")
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_text("That is not the password.")).to_be_visible()
        await page.get_by_label("Password", exact=True).fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("heading", name="Circuits")).to_be_visible()


async def test_who_watches_a_box_that_restarts_goes_on_watching(make_box, meter):
    box = await in_thread(make_box, site(meter, ocpp("CP-1")))
    async with browser() as visit:
        visitor = await visit(box)
        visitor.expect_trouble("ERR_")
        page = await visitor.sign_in()
        await expect(page.get_by_role("heading", name="Circuits")).to_be_visible()
        await in_thread(box.kill)
        await expect(page.get_by_text("No connection to the box")).to_be_visible()
        await in_thread(box.start)
        await expect(page.get_by_text("No connection to the box")).to_be_hidden(timeout=30_000)
        await page.reload()
        await expect(page.get_by_role("heading", name="Circuits")).to_be_visible()


async def test_one_click_adopts_a_charger_as_its_card_says(make_box, meter):
    loads = Loads(meter, building=(40, 45, 50))
    box = await in_thread(make_box, site(meter, []))
    async with browser() as visit, connected(ObedientCharger, box, "NEW-1") as charger:
        loads.chargers.append(charger)
        visitor = await visit(box)
        page = await visitor.sign_in()
        await expect(page.get_by_text("NEW-1 has connected")).to_be_visible()
        await visitor.photo("waiting-charger")
        assumed = "Adopted, it joins grid, counts on every line and gets at most 16 A."
        await expect(page.get_by_text(assumed)).to_be_visible()
        await page.get_by_role("button", name="Adopt: NEW-1").click()
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await expect(page.get_by_text("NEW-1 is part of the site now.")).to_be_visible()
        await expect(page.get_by_text("NEW-1 has connected")).to_be_hidden()
        written = (await in_thread(box.get, "config"))["config"]["charger"]
        expected = {"id": "new-1", "circuit": "grid", "ocpp": "NEW-1", "rotation": "unknown", "max_a": 16.0}
        assert written == [expected]
        row = row_of(page, "new-1")
        await expect(row).to_be_visible()

        await charger.plug(Car())
        # L3 has 63 - 50 A for it; its rotation is unknown, so that line counts.
        await expect(row).to_contain_text("of 13 A", timeout=30_000)
        await expect(row).to_contain_text("L3 of grid is full")
        await expect(row).to_contain_text("Charging")
        # The page shows what was sent; the charger may be about to take it.
        await eventually(charger.allowed, lambda amps: amps == pytest.approx(13, abs=0.05))
        await visitor.photo("dashboard")
        await row.click()
        await expect(page.get_by_role("heading", name="new-1")).to_be_visible()
        await visitor.photo("charger")


async def test_a_charger_is_adopted_with_other_settings(make_box, meter):
    loads = Loads(meter, building=(10, 10, 10))
    box = await in_thread(make_box, site(meter, []))
    async with browser() as visit, connected(ObedientCharger, box, "NEW-1") as charger:
        loads.chargers.append(charger)
        visitor = await visit(box)
        page = await visitor.sign_in()
        await page.get_by_role("button", name="Adopt with other settings … NEW-1").click()
        dialog = page.get_by_role("dialog")
        # Everything is filled in with what one click would take.
        await expect(dialog.get_by_label("Name")).to_have_value("new-1")
        await expect(dialog.get_by_label("Lines behind")).to_have_value("unknown")
        await dialog.get_by_label("Name").fill("bay 7")
        await expect(dialog.get_by_text("Letters, digits, - and _ only, at most 40.")).to_be_visible()
        await dialog.get_by_label("Name").fill("bay-7")
        await dialog.get_by_label("Maximum current").fill("10")
        await dialog.get_by_label("Lines behind").select_option("L2L3L1")
        await visitor.photo("adopt-dialog")
        await dialog.get_by_role("button", name="Adopt", exact=True).click()
        await expect(dialog).to_have_count(0)
        await charger.plug(Car())
        row = row_of(page, "bay-7")
        await expect(row).to_contain_text("of 10 A", timeout=30_000)
        written = (await in_thread(box.get, "config"))["config"]["charger"][0]
        assert (written["rotation"], written["max_a"]) == ("L2L3L1", 10.0)


async def test_the_keyboard_alone_adopts_a_charger(make_box, meter):
    box = await in_thread(make_box, site(meter, []))
    async with browser() as visit, connected(ObedientCharger, box, "NEW-1"):
        visitor = await visit(box)
        page = await visitor.sign_in()
        await expect(page.get_by_text("NEW-1 has connected")).to_be_visible()
        await tab_to(page, "Adopt: NEW-1")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("NEW-1 is part of the site now.")).to_be_visible()
        # The card is gone, and the focus is on what came of it.
        assert await focused(page) == "#/charger/new-1"
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="new-1")).to_be_visible()


async def test_a_limit_is_changed_and_saved_and_an_older_version_restored(make_box, meter):
    box = await in_thread(make_box, site(meter, ocpp("CP-1")))
    async with browser() as visit:
        visitor = await visit(box)
        page = await visitor.sign_in("#/settings/circuits")
        await page.locator('[data-entry="circuit[0]"] summary').click()
        await page.locator('[data-key="circuit[0].limit_a"]').fill("50")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Saved and in force")).to_be_visible()
        await eventually_true(lambda: box.circuit()["limit_a"] == [50.0, 50.0, 50.0])
        assert "50" in box.config.read_text()

        await visitor.go("settings/versions")
        await visitor.photo("versions")
        older = page.get_by_role("listitem").filter(has_text="Version 1 ")
        await older.get_by_role("button", name="Restore").click()
        await page.get_by_role("dialog").get_by_role("button", name="Restore").click()
        await eventually_true(lambda: box.circuit()["limit_a"] == [63.0, 63.0, 63.0])
        newest = page.get_by_role("listitem").filter(has_text="Version 3")
        await expect(newest).to_contain_text("in force")


async def test_a_wrong_value_is_told_at_its_field_and_nothing_is_lost(make_box, meter):
    box = await in_thread(make_box, site(meter, ocpp("CP-1")))
    async with browser() as visit:
        visitor = await visit(box)
        visitor.expect_trouble("422", "/api/v1/config")
        page = await visitor.sign_in("#/settings/site")
        await page.get_by_label("Name of the site").fill("Depot North")
        await page.get_by_role("link", name="Circuits").click()
        entry = page.locator('[data-entry="circuit[0]"]')
        await entry.locator("summary").click()
        field = page.locator('[data-key="circuit[0].limit_a"]')
        await field.fill("3000000")
        await page.get_by_role("button", name="Save").click()
        await expect(field).to_have_attribute("aria-invalid", "true")
        note = page.locator(f"[id='{await field.get_attribute('aria-describedby')}']")
        await expect(note).to_contain_text("Between")
        await expect(page.get_by_text("Everything you entered is still here.")).to_be_visible()
        await visitor.photo("wrong-value")
        await expect(field).to_have_value(re.compile("3.?000.?000"))
        assert (await in_thread(box.circuit))["limit_a"] == [63.0, 63.0, 63.0]

        await field.fill("55")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Saved and in force")).to_be_visible()
        await eventually_true(lambda: box.circuit()["limit_a"] == [55.0, 55.0, 55.0])
        assert (await in_thread(box.site))["name"] == "Depot North"


async def test_the_history_of_today_shows_load_session_and_event(make_box, meter):
    loads = Loads(meter, building=(20, 20, 20))
    box = await in_thread(make_box, site(meter, ocpp("CP-1")))
    async with browser() as visit, connected(ObedientCharger, box, "CP-1") as charger:
        loads.chargers.append(charger)
        await charger.plug(Car())
        await eventually(lambda: charger.draws() > 31)
        charger.energy_wh += 7000
        await charger.unplug()
        # Curves are written twice a minute, to spare the flash.
        now = int(time.time() * 1000)
        span = {"from_ms": now - 3_600_000, "to_ms": now + 60_000, "step_s": 60}
        await eventually_true(lambda: box.get("history", **span)["series"], seconds=45)
        visitor = await visit(box)
        page = await visitor.sign_in("#/history")
        await expect(page.get_by_role("heading", name="History")).to_be_visible()
        sessions = page.get_by_role("region", name="Sessions")
        await expect(sessions).to_contain_text("cp-1")
        await expect(sessions).to_contain_text(re.compile(r"7\.\d kWh"))
        await expect(page.get_by_role("img", name=re.compile("Load of grid"))).to_be_visible()
        await visitor.photo("history")
        await page.get_by_role("button", name="Day before").click()
        await expect(page.get_by_text("Nothing was recorded on this day.")).to_be_visible()


async def test_two_sessions_of_the_same_number_are_both_in_the_history(make_box, meter):
    box = await in_thread(make_box, site(meter, ocpp("CP-1")))
    now = int(time.time() * 1000)
    # A Modbus charger's sessions are counted by the box, after a restart from one again.
    alike = {"charger": "cp-1", "session": 1, "tag": "", "started_ms": now, "ended_ms": now, "why": "unplugged"}
    sessions = [alike | {"energy_wh": 1500}, alike | {"energy_wh": 2500}]
    async with browser() as visit:
        visitor = await visit(box)
        await visitor.page.route(re.compile(r"/api/v1/sessions\?"), lambda route: route.fulfill(json={"sessions": sessions}))
        page = await visitor.sign_in("#/history")
        table = page.get_by_role("region", name="Sessions")
        await expect(table).to_contain_text("1.5 kWh")
        await expect(table).to_contain_text("2.5 kWh")


async def test_the_keyboard_alone_signs_in_and_goes_everywhere(make_box, meter):
    box = await in_thread(make_box, site(meter, ocpp("CP-1")))
    async with browser() as visit:
        visitor = await visit(box)
        page = await visitor.open()
        await expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        await tab_to(page, "Password")
        await page.keyboard.type(PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("navigation", name="Main")).to_be_visible()
        ways = {"History": "#/history", "System": "#/system", "Settings": "#/settings", "Site": "#/"}
        for name, target in ways.items():
            await tab_to(page, target)
            await page.keyboard.press("Enter")
            link = page.get_by_role("navigation", name="Main").get_by_role("link", name=name)
            await expect(link).to_have_attribute("aria-current", "page")
        await tab_to(page, "Lower the site for a while")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("dialog")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_be_hidden()
        assert await focused(page) == "Lower the site for a while", "the focus returns to where it was"


async def test_the_keyboard_alone_changes_a_limit_and_keeps_its_place(make_box, meter):
    box = await in_thread(make_box, site(meter, ocpp("CP-1")))
    async with browser() as visit:
        visitor = await visit(box)
        page = await visitor.sign_in("#/settings/circuits")
        entry = page.locator('[data-entry="circuit[0]"]')
        await expect(entry).to_be_visible()
        await tab_until(page, lambda name: name.startswith("grid"))
        await page.keyboard.press("Enter")
        await tab_to(page, "Limit")
        await page.keyboard.press("Control+A")
        await page.keyboard.type("55")
        await tab_to(page, "Save")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("Saved and in force")).to_be_visible()
        assert await focused(page) == "Saved and in force"
        await eventually_true(lambda: box.circuit()["limit_a"] == [55.0, 55.0, 55.0])

        await visitor.go("")
        await tab_to(page, "Lower the site for a while")
        await page.keyboard.press("Enter")
        await tab_to(page, "Lower to")
        await page.keyboard.press("Control+A")
        await page.keyboard.type("20")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("dialog")).to_have_count(0)
        lift = page.get_by_role("button", name="Lift")
        await expect(lift).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="Lower the site for a while")).to_be_focused()


async def test_escape_leads_from_every_dialog_back_to_its_button(make_box, meter):
    box = await in_thread(make_box, site(meter, []))
    async with browser() as visit, connected(ObedientCharger, box, "NEW-1"):
        visitor = await visit(box)
        page = await visitor.sign_in()
        await expect(page.get_by_text("NEW-1 has connected")).to_be_visible()
        dialogs = {
            "": "Adopt with other settings … NEW-1",
            "system": "Forget everything …",
            "settings/versions": "Restore",
        }
        await in_thread(rename, box, "Depot")
        for path, button in dialogs.items():
            await visitor.go(path)
            await tab_to(page, button)
            await page.keyboard.press("Enter")
            await expect(page.get_by_role("dialog")).to_be_visible()
            await page.keyboard.press("Escape")
            await expect(page.get_by_role("dialog")).to_have_count(0)
            assert await focused(page) == button


async def test_whoever_goes_by_keyboard_sees_where_they_are(make_box, meter):
    box = await in_thread(make_box, site(meter, ocpp("CP-1")))
    async with browser() as visit:
        # As high as a phone is wide: bars at the foot cover much of it.
        visitor = await visit(box, {"width": 640, "height": 500})
        page = await visitor.sign_in()
        for path in VIEWS.values():
            await visitor.go(path)
            await expect(page.locator("main").get_by_text("Asking the box")).to_have_count(0)
            for folded in await page.locator("details:not([open]) > summary").all():
                await folded.click()
            await page.evaluate("scrollTo(0, 0); document.getElementById('content').focus()")
            for _ in range(120):
                await page.keyboard.press("Tab")
                # What has come into sight meanwhile may have moved everything; the browser follows.
                where, _ = await eventually(lambda: page.evaluate(FOCUS), lambda seen: seen[1], seconds=3)
                if where == "#content":
                    break


UNFOLD = """async () => {
    const entry = document.querySelector('details');
    entry.firstElementChild.click();
    // Nothing else gets its turn in between, so no key either.
    for (let i = 0; i < 10; i += 1) await null;
    return entry.open && entry.querySelector('input') !== null;
}"""


async def test_an_entry_unfolds_with_all_that_is_in_it(make_box, meter):
    box = await in_thread(make_box, site(meter, ()))
    async with browser() as visit:
        visitor = await visit(box)
        page = await visitor.sign_in("#/settings/meters")
        await expect(page.locator("details > summary")).to_be_visible()
        assert await page.evaluate(UNFOLD)
        # By keyboard, too.
        await page.locator("summary").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_label("Read through")).to_have_count(0)
        await page.keyboard.press("Enter")
        await expect(page.get_by_label("Read through")).to_be_visible()


async def test_no_view_scrolls_sideways_on_a_phone(make_box, meter):
    loads = Loads(meter, building=(40, 45, 50))
    names = ("CP-1", "a-long-name-that-somebody-gave-to-bay-2")
    box = await in_thread(make_box, site(meter, ocpp(*names)))
    async with browser() as visit, connected(ObedientCharger, box, "CP-1") as charger:
        loads.chargers.append(charger)
        await charger.plug(Car())
        visitor = await visit(box, PHONE, has_touch=True, is_mobile=True)
        page = await visitor.open()
        await expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        assert await visitor.sideways() is None
        page = await visitor.sign_in()
        for language in ("EN", "DE"):
            for name, path in VIEWS.items():
                await visitor.go(path)
                asking = page.locator("main").get_by_text(re.compile("Asking the box|Die Box wird gefragt"))
                await expect(asking).to_have_count(0)
                for folded in await page.locator("details:not([open]) > summary").all():
                    await folded.click()
                assert await visitor.sideways() is None, f"{name} in {language}"
                await visitor.photo(f"phone-{language}-{name}".lower())
            if language == "EN":
                await page.get_by_role("button", name="DE: Deutsch").click()


async def test_the_dark_page_is_dark(make_box, meter):
    box = await in_thread(make_box, site(meter, ocpp("CP-1")))
    async with browser() as visit:
        light = await visit(box, color_scheme="light")
        dark = await visit(box, color_scheme="dark")
        for visitor in (light, dark):
            await visitor.sign_in("#/system")
        assert await lightness(light.page) > 0.8
        assert await lightness(dark.page) < 0.2
        assert await light.photo("system-light") != await dark.photo("system-dark")
        # By hand it wins over the system, and is remembered.
        await dark.page.get_by_role("region", name="This browser").get_by_label("Appearance").select_option("light")
        await dark.page.reload()
        await expect(dark.page.get_by_role("heading", name="Software")).to_be_visible()
        assert await lightness(dark.page) > 0.8


def rename(box, name):
    """So that there is an older version of the configuration, too."""
    told = box.get("config")
    headers = {"Origin": box.url, "If-Match": f'"{told["version"]}"'}
    config = told["config"] | {"name": name}
    box.http.put(f"{box.url}/api/v1/config", json=config, headers=headers, timeout=10).raise_for_status()


async def eventually_true(condition, seconds=10):
    await eventually(lambda: in_thread(condition), seconds=seconds)


async def focused(page):
    """What has the focus: a link's target, the name of anything else."""
    return await page.evaluate(
        """() => { const it = document.activeElement;
        return it.getAttribute('href') ?? it.getAttribute('aria-label') ?? it.labels?.[0]?.textContent.trim() ?? it.textContent.trim() }"""
    )


async def tab_to(page, name, most=60):
    await tab_until(page, lambda at: at == name, most)


async def tab_until(page, reached, most=60):
    passed = []
    for _ in range(most):
        await page.keyboard.press("Tab")
        at = await focused(page)
        passed.append(at[:40])
        if reached(at):
            return
    raise AssertionError(f"not reached with the Tab key, which passed {passed}")


async def lightness(page):
    """Of the page's background: 0 black, 1 white."""
    return await page.evaluate(
        """() => { const [r, g, b] = getComputedStyle(document.documentElement).backgroundColor.match(/[\\d.]+/g).map(Number);
        return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255 }"""
    )
