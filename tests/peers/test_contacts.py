"""A contact that cannot be read counts as closed: its limit holds a real charge point, with its reason and its
record. (Chips are rare on test machines; what a level does is told in `controller/wiring`.)"""


from charge_points import Car, ObedientCharger, connected
from sites import Loads, ocpp, site
from waiting import eventually, eventually_shown, in_thread

CONTACT = """
[[input]]
id = "p14a"
chip = "/dev/gpiochip-nowhere"
line = 17
circuit = "grid"
paragraph_14a = true
"""


async def test_a_lost_contact_of_the_grid_operator_holds_charging_at_its_minimum(make_box, meter):
    loads = Loads(meter, building=(5, 5, 5))
    box = await in_thread(make_box, site(meter, ocpp("CP-1")) + CONTACT)
    async with connected(ObedientCharger, box, "CP-1") as charger:
        loads.chargers.append(charger)
        await charger.plug(Car())
        # 4.2 kW for one charge point: 6.08 A on three lines, in steps of 0.1 A.
        await eventually(lambda: 5.9 <= charger.draws() <= 6.1, seconds=40)

        await eventually_shown(
            box,
            "cp-1",
            seconds=20,
            reason="contact p14a: the chargers of grid may draw 4.20 kW",
            reason_code="limited-by-input",
            reason_input="p14a",
        )
        assert ("p14a", "input-lost") in box.alerts()
        contact = box.site()["inputs"][0]
        assert (contact["level"], contact["in_force"]) == ("lost", True)
