#!/usr/bin/env python3
"""The guide's own claims, by simulation: how many chargers on a 63 A connection, static and dynamic?

    tests/bench/claims.py [--dlb target/release/dlb] [--days 3] [--seed 1] [--quick]

Every row is one run of `dlb simulate`: the controller that runs a site, over OCPP, with chargers that take
half a second to two and cars that take up to four to follow. Assumptions, all of them:

- 63 A on each of three lines. A building draws 6 to 12 A of them all the time, a heat pump and a kitchen
  come and go on top: 30 A at the most.
- Static: what the building can take is set aside for good; the rest is divided by the number of chargers,
  once, and each is set to its part. Below 6 A nothing charges: that many chargers are impossible.
- Dynamic: dlb with one meter at the connection.
- Work: 11 kW, three phases; a car comes to four of five chargers on a weekday at 8:30 (deviation 45 min),
  stays 8 h (90 min) and wants 10 kWh (log-normal, 2 to 35 kWh).
- Home: 11 kW, three phases; a car comes to 85 of 100 chargers a day at 18:15 (2 h), leaves at 7:30 (1 h)
  and wants 9 kWh (log-normal, 2 to 40 kWh).
- Speed 2: cars come and fill twice as fast as in life while protocols, turns and dead times do not, which
  is to the disadvantage of dynamic.
"""

import argparse
import datetime
import json
import math
import pathlib
import random
import subprocess
import tempfile

LINE_A = 63
BUILDING_A = 30
START = datetime.datetime(2026, 3, 2, 0, 0)

BUILDING = """
base_a = [9.0, 8.0, 10.0]
breathing_a = 0.6
power_factor = 0.95
follows_day = true
[[circuit.appliance]]
name = "heat pump"
amps = 9.0
power_factor = 0.88
on_s = 1500
off_s = 1800
[[circuit.appliance]]
name = "kitchen"
amps = [8.0, 9.0, 6.0]
on_s = 1200
off_s = 4000
[[meter]]
circuit = "grid"
assumed_load_a = 30
"""


def energy(rng, mean, low, high):
    sigma = 0.6
    return min(high, max(low, rng.lognormvariate(math.log(mean) - sigma**2 / 2, sigma)))


def work(rng, day):
    if rng.random() > 0.8:
        return None
    come = day + datetime.timedelta(hours=rng.gauss(8.5, 0.75))
    return come, come + datetime.timedelta(hours=max(2, rng.gauss(8, 1.5))), energy(rng, 10, 2, 35)


def home(rng, day):
    if rng.random() > 0.85:
        return None
    come = day + datetime.timedelta(hours=min(23.5, max(12, rng.gauss(18.25, 2))))
    leave = day + datetime.timedelta(hours=24 + min(10, max(5, rng.gauss(7.5, 1))))
    return come, leave, energy(rng, 9, 2, 40)


def scenario(directory, count, mix, days, seed, max_a):
    rng = random.Random(seed)
    rows = ["arrival,departure,energy_kwh,max_a,phases,charger"]
    for charger in range(count):
        for day in range(days):
            visit = mix(rng, START + datetime.timedelta(days=day))
            if visit:
                come, leave, kwh = visit
                rows.append(f"{come.isoformat()},{leave.isoformat()},{kwh:.2f},16,3,bay-{charger}")
    (directory / "sessions.csv").write_text("\n".join(rows) + "\n")
    text = f'hours = {24 * days + 11}\nspeed = 2\nstep_s = 0.5\nseed = {seed}\nstart = "{START.isoformat()}"\n'
    text += f'sessions = "sessions.csv"\n[[circuit]]\nid = "grid"\nlimit_a = {LINE_A}\n' + BUILDING
    for charger in range(count):
        rotation = ("L1L2L3", "L2L3L1", "L3L1L2")[charger % 3]
        text += (
            f'[[charger]]\nid = "bay-{charger}"\ncircuit = "grid"\nrotation = "{rotation}"\n'
            f"max_a = {max_a}\ndead_time_s = {0.5 + 0.3 * (charger % 6):.1f}\n"
        )
    path = directory / "scenario.toml"
    path.write_text(text)
    return path


def play(dlb, count, mix, days, seed, max_a):
    with tempfile.TemporaryDirectory() as directory:
        path = scenario(pathlib.Path(directory), count, mix, days, seed, max_a)
        done = subprocess.run([dlb, "simulate", path, "--json"], capture_output=True, text=True, check=False)
    if done.returncode == 2:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)


def static_share(dlb, count, mix, days, seed):
    each = math.floor((LINE_A - BUILDING_A) / count * 10) / 10
    return None if each < 6 else play(dlb, count, mix, days, seed, min(16, each))


def row(name, count, report):
    if report is None:
        return f"{name:22} {count:4}   impossible: less than 6 A each"
    share = 100 * report["energy_kwh"] / report["energy_requested_kwh"]
    return (
        f"{name:22} {count:4} {share:8.2f} % of {report['energy_requested_kwh']:7.1f} kWh"
        f"  peak {report['peak_kw']:5.1f} kW (uncontrolled {report['peak_uncontrolled_kw']:5.1f})"
        f"  trips {report['protective_device_trips']}  longest over {report['longest_over_limit_s']:4.1f} s"
        f"  Jain {report['jain_fairness']:.3f}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--dlb", default="target/release/dlb")
    parser.add_argument("--days", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="only the rows that the claims are about")
    options = parser.parse_args()
    common = (options.days, options.seed)
    for name, mix, statics, dynamics in [
        ("work", work, (2, 3, 5, 6), (5, 10, 15, 20)),
        ("home", home, (2, 3, 5, 6), (5, 10, 15, 20, 30, 40)),
    ]:
        if options.quick:
            statics, dynamics = (5,), ((15,) if name == "work" else (15, 40))
        for count in statics:
            print(row(f"{name}, static", count, static_share(options.dlb, count, mix, *common)), flush=True)
        for count in dynamics:
            print(row(f"{name}, dynamic", count, play(options.dlb, count, mix, *common, 16)), flush=True)


if __name__ == "__main__":
    main()
