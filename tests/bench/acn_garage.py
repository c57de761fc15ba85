"""The Caltech garage of acnportal, as `dlb allocate` is told of it: a 480 V delta, a transformer, a 208 V star,
two sub-boards, 54 outlets between two lines each.

Limits and lists of outlets are read from acnportal's network, so that both speak of the same garage.
"""

import math

PAIRS = {30: "L1-L2", -90: "L2-L3", 150: "L3-L1"}
# Volts of the outlets, and the turns of the transformer as acnportal has them (one quarter of the current).
VOLTS = 208
TURNS = 4


def circuits(network):
    limits = dict(zip(network.constraint_index, network.magnitudes))
    return [
        circuit("primary", None, limits["Primary A"], supply={"system": "delta", "volts": 480}),
        circuit(
            "secondary",
            "primary",
            limits["Secondary A"],
            supply={"system": "star", "volts": VOLTS / math.sqrt(3)},
            transformer={"group": "Dyn", "ratio": TURNS / math.sqrt(3)},
        ),
        circuit("CC Pod", "secondary", limits["CC Pod"]),
        circuit("AV Pod", "secondary", limits["AV Pod"]),
    ]


def circuit(name, parent, amperes, **rest):
    return {"id": name, "parent": parent, "limit_a": [math.floor(amperes * 1000) / 1000] * 3, **rest}


def chargers(network):
    """By station, what never changes. Steps and minimum are those of the outlet's own list of rates."""
    homes = {}
    for pod in ("CC Pod", "AV Pod"):
        row = network.constraint_matrix[network.constraint_index.index(pod)]
        homes.update({station: pod for station, part in zip(network.station_ids, row) if part})
    angles = dict(zip(network.station_ids, network._phase_angles))
    return {
        station: {
            "id": station,
            "circuit": homes.get(station, "secondary"),
            "phases": [PAIRS[int(angles[station])]],
            "min_a": rates[1],
            "max_a": rates[-1],
            "step_a": rates[2] - rates[1],
        }
        for station in network.station_ids
        for rates in [network._EVSEs[station].allowable_rates]
    }
