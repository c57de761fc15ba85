"""What a technician asks of a charger beside its limit: restart, free the plug, out of service and back."""

import time

from ocpp.routing import on
from ocpp.v16 import call_result
from playwright.async_api import expect

from charge_points import Car, ObedientCharger, connected
from sites import Loads, ocpp, site
from visitor import PHONE, browser
from waiting import eventually, holds, in_thread


class ServicedCharger(ObedientCharger):
    """Does what it is asked, but for its lock, which is stuck."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.asked = []

    @on("Reset")
    async def on_reset(self, type):
        self.asked.append(("Reset", type))
        self.background(self.later(self.restart))
        return call_result.Reset("Accepted")

    async def restart(self):
        """Its memory of limits and of its transaction is gone."""
        self.profiles, self.transaction, self.car = {}, None, None
        await self.boot()

    @on("UnlockConnector")
    async def on_unlock(self, connector_id):
        self.asked.append(("UnlockConnector", connector_id))
        return call_result.UnlockConnector("UnlockFailed")

    @on("ChangeAvailability")
    async def on_availability(self, connector_id, type):
        self.asked.append(("ChangeAvailability", connector_id, type))
        status = "Available" if type == "Operative" else "Unavailable"
        self.background(self.later(lambda: self.notify(status)))
        return call_result.ChangeAvailability("Accepted")

    @on("ClearCache")
    async def on_clear_cache(self):
        self.asked.append(("ClearCache",))
        return call_result.ClearCache("Rejected")

    @on("GetCompositeSchedule")
    async def on_schedule(self, connector_id, duration, **_):
        self.asked.append(("GetCompositeSchedule", connector_id, duration))
        periods = [{"start_period": 0, "limit": self.allowed()}]
        schedule = {"charging_rate_unit": "A", "charging_schedule_period": periods}
        return call_result.GetCompositeSchedule("Accepted", connector_id=connector_id, charging_schedule=schedule)

    @on("DataTransfer")
    async def on_data(self, vendor_id, message_id=None, data=None):
        self.asked.append(("DataTransfer", vendor_id, message_id, data))
        return call_result.DataTransfer("Accepted", data="led is off")


async def charging(box, charger):
    """With a limit that the box has seen to hold."""
    holds = lambda seen: seen["session"] and seen["confirmed"] and charger.draws() > 31
    await eventually(lambda: in_thread(box.charger, "cp-1"), holds, seconds=60)


async def said(box, charger, ask):
    """The event that comes of asking."""
    since = int(time.time() * 1000)
    await in_thread(box.post, "order/service", {"charger": charger, "ask": ask})

    def answers():
        told = box.get("events", from_ms=since, to_ms=since + 600_000, about=charger)["events"]
        return [event for event in told if event["code"].startswith("service-")]

    return (await eventually(lambda: in_thread(answers), seconds=10))[0]


async def test_a_charger_does_what_a_technician_asks_and_its_answer_is_told(make_box, meter):
    loads = Loads(meter, building=(5, 5, 5))
    box = await in_thread(make_box, site(meter, ocpp("CP-1")))
    async with connected(ServicedCharger, box, "CP-1") as charger:
        loads.chargers = [charger]
        await charger.plug(Car())
        await charging(box, charger)
        told = await said(box, "cp-1", "schedule")
        assert (told["code"], told["text"]) == ("service-done", "cp-1 says that it may draw: 32 A.")
        told = await said(box, "cp-1", "unlock")
        assert told["code"] == "service-refused" and "free the lock by hand" in told["text"]
        told = await said(box, "cp-1", "clear-cache")
        assert told["code"] == "service-refused" and told["text"] == "cp-1 answered ClearCache with Rejected."
        told = await said(box, "cp-1", {"vendor": {"vendor": "com.peer", "message": "led", "data": "off"}})
        assert told["text"] == "cp-1 answered: led is off"
        told = await said(box, "cp-1", "restart-hard")
        assert told["text"] == "cp-1 restarts."
        # It has forgotten everything and is under control again by itself.
        await eventually(lambda: charger.car is None)
        await charger.plug(Car())
        await charging(box, charger)
        assert charger.asked == [
            ("GetCompositeSchedule", 1, 86_400),
            ("UnlockConnector", 1),
            ("ClearCache",),
            ("DataTransfer", "com.peer", "led", "off"),
            ("Reset", "Hard"),
        ]


async def test_a_charger_that_is_away_cannot_be_asked(make_box, meter):
    box = await in_thread(make_box, site(meter, ocpp("CP-1")))
    answer = await in_thread(
        box.http.post,
        f"{box.url}/api/v1/order/service",
        json={"charger": "cp-1", "ask": "restart"},
        headers={"Origin": box.url},
        timeout=10,
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "charger-offline")


async def test_a_technician_takes_a_charger_out_of_service_on_the_phone(make_box, meter):
    box = await in_thread(make_box, site(meter, ocpp("CP-1")))
    async with browser() as visit, connected(ServicedCharger, box, "CP-1") as charger:
        visitor = await visit(box, PHONE)
        page = await visitor.sign_in()
        await visitor.go("charger/cp-1")
        service = page.get_by_role("region", name="Service")
        await service.get_by_role("button", name="Unlock the plug").click()
        await expect(service.get_by_role("alert")).to_contain_text("free the lock by hand")
        await visitor.photo("service")
        await service.get_by_role("button", name="Take out of service").click()
        await expect(service.get_by_role("status")).to_have_text("cp-1 is out of service.", timeout=10_000)
        await service.get_by_role("button", name="Back into service").click()
        await eventually(lambda: charger.status == "Available", seconds=10)
        await expect(service.get_by_role("button", name="Take out of service")).to_be_visible(timeout=10_000)
        await visitor.sideways()
