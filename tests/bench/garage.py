"""The configuration of a large garage: a grid connection, floors of 25 bays, one meter at the top."""

FLOOR = 25


def garage(bays, meter):
    floors = -(-bays // FLOOR)
    circuits = "".join(
        f'[[circuit]]\nid = "floor-{floor}"\nparent = "garage"\nlimit_a = 250\n' for floor in range(floors)
    )
    chargers = "".join(
        f'[[charger]]\nid = "bay-{bay}"\ncircuit = "floor-{bay // FLOOR}"\nocpp = "CP-{bay}"\n'
        f'rotation = "{("L1L2L3", "L2L3L1", "L3L1L2")[bay % 3]}"\nmax_a = 32\nstep_a = 0.1\nfallback_a = 0\n'
        for bay in range(bays)
    )
    return f"""
version = 1
name = "Garage"

[server]
page = "{{page}}"
ocpp = "{{ocpp}}"

[[circuit]]
id = "grid"
limit_a = {10 * bays + 100}

[[circuit]]
id = "garage"
parent = "grid"
limit_a = {10 * bays + 50}

{circuits}
[[port]]
id = "cabinet"
{meter.line}

[[meter]]
id = "main"
circuit = "grid"
port = "cabinet"
unit = 1
map = "eastron-sdm630"
every_s = 1
lost_after_s = 10
assumed_load_a = 40

{chargers}"""
