"""Configurations of test sites, and a site whose chargers really load its meter."""

import json


def site(meter, chargers, limit_a=63, policy="", mqtt="", adoption="ask", assumed_a=40, ports=None):
    """A three-phase connection with one Modbus meter; `chargers` is a list of dicts of keys, `ports` names
    further Modbus devices with their lines."""
    entries = [f'[[port]]\nid = "{name}"\n{line}\n' for name, line in (ports or {}).items()]
    for charger in chargers:
        keys = {"circuit": "grid", "rotation": "L1L2L3", "max_a": 32, "step_a": 0.1, "fallback_a": 6} | charger
        lines = "\n".join(f"{key} = {toml(value)}" for key, value in keys.items())
        entries.append(f"[[charger]]\n{lines}\n")
    return f"""
version = 1
name = "Test site"

[server]
page = "{{page}}"
ocpp = "{{ocpp}}"

[policy]
raise_after_s = 2
limit_lifetime_s = 20
meter_values_every_s = 2
drawn_valid_for_s = 20
{policy}

[adoption]
rule = "{adoption}"
circuit = "grid"
{mqtt}
[[circuit]]
id = "grid"
limit_a = {limit_a}

[[port]]
id = "cabinet"
{meter.line}

[[meter]]
id = "main"
circuit = "grid"
port = "cabinet"
unit = 1
map = "eastron-sdm630"
every_s = 0.5
lost_after_s = 3
assumed_load_a = {assumed_a}

{"".join(entries)}"""


def toml(value):
    return json.dumps(value)


def mqtt(broker, **keys):
    lines = "".join(f"{key} = {toml(value)}\n" for key, value in keys.items())
    return f'[mqtt]\nbroker = "{broker.url}"\n{lines}\n'


def ocpp(*names, **keys):
    return [{"id": name.lower(), "ocpp": name} | keys for name in names]


class Loads:
    """Building plus chargers, as the meter of the connection shows them; remembers the worst."""

    def __init__(self, meter, building=(5.0, 5.0, 5.0)):
        self.building = list(building)
        self.chargers = []
        meter.follow(self.amps)

    def amps(self):
        totals = list(self.building)
        for charger in self.chargers:
            phases = charger.car.phases if charger.car else 0
            for line in range(phases):
                totals[line] += charger.draws()
        return totals

    def permitted(self):
        """What would flow if every car took all that its charger's profiles allow."""
        totals = list(self.building)
        for charger in self.chargers:
            if charger.car is None:
                continue
            for line in range(3):
                totals[line] += min(charger.obeyed(charger.allowed()), charger.rating)
        return totals
