"""Runs acnportal's simulator with its own algorithms and with `dlb allocate`, prints one table in Markdown.

Every algorithm sees the same sessions with their real departures and energies, decides every five minutes, and is
judged by acnportal's own network. Figures of time are processor time of one step: for acnportal that of
`schedule`, for dlb that of the whole process (reading JSON, deciding, writing JSON).
"""

import argparse
import collections
import csv
import datetime
import gzip
import json
import multiprocessing
import os
import pathlib
import statistics
import subprocess
import time
import warnings

import numpy
from acnportal import acnsim, algorithms

import acn_bound
import acn_garage

PERIOD_MIN = 5
VOLTS = acn_garage.VOLTS
MOST_A = 32
# Chargers have obeyed by then; acnportal's periods are too long to show the wait.
LOOKS_AGAIN_S = 15
LOOKS_MAX = 4
ROOT = pathlib.Path(__file__).resolve().parents[2]
# Nothing was tuned on these; 2019-03 and 2019-10 were looked at while tuning.
MONTHS = ["2019-05", "2019-08", "2020-01"]
KILOWATTS = [70, 90, 110]

Session = collections.namedtuple("Session", "name station arrival departure kwh")


def read(path, month, days, stations):
    """The month's sessions; the file's stations hang on the garage's outlets, spread over its phases."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt") as file:
        entries = list(csv.DictReader(file))
    known = sorted({entry["station"] for entry in entries})
    # A fixed shuffle: any order that does not put neighbours of the file on one phase.
    outlets = sorted(stations, key=lambda station: (int(station[3:]) * 7919) % 1009)
    outlet = dict(zip(known, outlets))
    of_month = sorted((entry for entry in entries if entry["connect"].startswith(month)), key=lambda e: e["connect"])
    zone = datetime.datetime.fromisoformat(of_month[0]["connect"]).tzinfo
    begin = datetime.datetime.fromisoformat(f"{month}-01T00:00:00").replace(tzinfo=zone)
    period = lambda text: int((datetime.datetime.fromisoformat(text) - begin).total_seconds() // (60 * PERIOD_MIN))  # noqa: E731
    free, sessions = {}, []
    for nth, entry in enumerate(of_month):
        if entry["station"] not in outlet:
            continue
        station = outlet[entry["station"]]
        # Two cars of the file may overlap by seconds.
        arrival, departure = max(period(entry["connect"]), free.get(station, 0)), period(entry["disconnect"])
        if departure <= arrival or arrival >= days * 24 * 60 // PERIOD_MIN:
            continue
        free[station] = departure
        most = (departure - arrival) * PERIOD_MIN / 60 * MOST_A * VOLTS / 1000
        sessions.append(Session(f"s{nth}", station, arrival, departure, min(float(entry["kwh"]), most)))
    return sessions


class Dlb(algorithms.BaseAlgorithm):
    """`dlb allocate` with its strategy `departure`, one line each way for every step."""

    def __init__(self, network, strategy):
        super().__init__()
        self.max_recompute = 1
        self.strategy = strategy
        self.circuits = acn_garage.circuits(network)
        self.chargers = acn_garage.chargers(network)
        self.limits = [0] * len(self.chargers)
        binary = os.environ.get("DLB", ROOT / "target" / "release" / "dlb")
        self.process = subprocess.Popen([binary, "allocate"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def schedule(self, active_sessions):
        lines = {session.station_id: session for session in active_sessions}
        now = self.interface.current_time * PERIOD_MIN * 60
        chargers = [self.charger(station, lines.get(station), now) for station in self.chargers]
        for look in range(LOOKS_MAX):
            before, self.limits = self.limits, self.ask(now + look * LOOKS_AGAIN_S, chargers)
            if all(limit >= earlier for limit, earlier in zip(self.limits, before)):
                break
            # Raises wait until what was lowered for them is seen to hold: dlb looks again, for the same period.
            for charger, limit in zip(chargers, self.limits):
                charger["drawn_a"] = [limit]
        return {station: [round(limit)] for station, limit in zip(self.chargers, self.limits)}

    def ask(self, now, chargers):
        snapshot = {"now_s": now, "strategy": self.strategy, "circuits": self.circuits, "chargers": chargers}
        self.process.stdin.write(json.dumps(snapshot) + "\n")
        self.process.stdin.flush()
        return [charger["limit_a"] for charger in json.loads(self.process.stdout.readline())["chargers"]]

    def charger(self, station, session, now):
        if session is None:
            return {**self.chargers[station], "connected": False}
        return {
            **self.chargers[station],
            # As acnportal's own algorithms: no more than it can take until the next decision.
            "wants_a": min(MOST_A, self.interface.remaining_amp_periods(session)),
            "arrived_s": session.arrival * PERIOD_MIN * 60,
            "departs_s": session.estimated_departure * PERIOD_MIN * 60,
            "energy_needed_kwh": session.remaining_demand,
        }

    def processor_seconds(self):
        """Of the whole process, when it has ended."""
        self.process.stdin.close()
        usage = os.wait4(self.process.pid, 0)[2]
        return usage.ru_utime + usage.ru_stime


PEERS = {
    "round robin": lambda: algorithms.RoundRobin(algorithms.first_come_first_served),
    "first come": lambda: algorithms.SortedSchedulingAlgo(algorithms.first_come_first_served),
    "EDF": lambda: algorithms.SortedSchedulingAlgo(algorithms.earliest_deadline_first),
    "LLF": lambda: algorithms.SortedSchedulingAlgo(algorithms.least_laxity_first),
}
OURS = {"dlb": "departure", "dlb equal": "equal"}


def check_quickly(network):
    """Puts acnportal's check of a schedule on one matrix that is made once: the same decisions, many times sooner."""
    turned = network.constraint_matrix * numpy.exp(1j * numpy.deg2rad(network._phase_angles))
    limits = network.magnitudes + numpy.maximum(1e-5, 1e-7 * network.magnitudes)
    algorithms.sorted_algorithms.infrastructure_constraints_feasible = lambda rates, _: bool(
        (numpy.abs(turned @ rates) <= limits).all()
    )


def simulate(job):
    path, month, days, kilowatts, name, quick = job
    warnings.simplefilter("ignore")
    network = acnsim.sites.caltech_acn(basic_evse=False, transformer_cap=kilowatts)
    if quick:
        check_quickly(network)
    sessions = read(path, month, days, network.station_ids)
    if name == "bound":
        amperes = acn_bound.bound(network, sessions, PERIOD_MIN, MOST_A)
        return job, {"kwh": amperes * VOLTS / 1000 * PERIOD_MIN / 60, "asked": sum(s.kwh for s in sessions)}
    scheduler = Dlb(network, OURS[name]) if name in OURS else PEERS[name]()
    steps, spent = timed(scheduler)
    cars = [
        acnsim.EV(
            session.arrival, session.departure, session.kwh, session.station, session.name,
            acnsim.Battery(session.kwh, 0, MOST_A * VOLTS / 1000),
        )
        for session in sessions
    ]
    events = acnsim.EventQueue([acnsim.PluginEvent(car.arrival, car) for car in cars])
    simulator = acnsim.Simulator(
        network, scheduler, events, datetime.datetime(2019, 1, 1), period=PERIOD_MIN, verbose=False
    )
    simulator.run()
    if name in OURS:
        spent[0] = scheduler.processor_seconds()
    no_figure = quick and name in PEERS
    return job, verdict(simulator, network, sessions, None if no_figure else spent[0] / max(1, steps[0]))


def timed(scheduler):
    steps, spent, schedule = [0], [0.0], scheduler.schedule

    def wrapped(sessions):
        before = time.process_time()
        answer = schedule(sessions)
        spent[0] += time.process_time() - before
        steps[0] += 1
        return answer

    scheduler.schedule = wrapped
    return steps, spent


def verdict(simulator, network, sessions, step_s):
    pilots = simulator.pilot_signals
    over = numpy.abs(network.constraint_current(pilots)) - network.magnitudes[:, None]
    got, starts = [], []
    row = {station: ix for ix, station in enumerate(network.station_ids)}
    for session in sessions:
        car = simulator.ev_history[session.name]
        got.append(min(1.0, car.energy_delivered / session.kwh))
        on = pilots[row[session.station], session.arrival : session.departure] > 0
        starts.append(int(on[0]) + int((on[1:] & ~on[:-1]).sum()))
    return {
        "kwh": sum(share * session.kwh for share, session in zip(got, sessions)),
        "asked": sum(session.kwh for session in sessions),
        "shares": got,
        "starts": starts,
        "violations": int((over > 1e-3).any(axis=0).sum()),
        "step_s": step_s,
    }


HEAD = (
    "| kW | month | sessions | algorithm | energy | of the gap | worst 5 % | starts | violations | step | against LLF |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|"
)


def rows(power, month, of):
    """What is known of one month at one capacity, by algorithm."""
    peers = [of[name]["kwh"] for name in PEERS if name in of]
    for name, result in of.items():
        yield line(power, month, name, result, max(peers, default=None), of)


def line(power, month, name, result, peer, of):
    share = lambda kwh: f"{100 * kwh / result['asked']:.2f} %"  # noqa: E731
    if name == "bound":
        return f"| {power} | {month} | | perfect foresight | {share(result['kwh'])} | | | | | | |"
    worst = sorted(result["shares"])[: max(1, len(result["shares"]) // 20)]
    gap = ""
    if name in OURS and peer is not None and "bound" in of:
        gap = f"{100 * (result['kwh'] - peer) / (of['bound']['kwh'] - peer):.0f} %"
    llf, own = (of["LLF"]["step_s"] if "LLF" in of else None), result["step_s"]
    ratio = f"{llf / own:.0f} ×" if llf and own else ""
    step = f"{1e6 * own:,.0f} µs" if own else ""
    return (
        f"| {power} | {month} | {len(result['shares'])} | {name} | {share(result['kwh'])} | {gap} | {statistics.mean(worst):.2f} "
        f"| {statistics.mean(result['starts']):.2f} | {result['violations']} | {step} | {ratio} |"
    )


def remembered(job):
    """`simulate`, unless an earlier run that was given the same directory has the answer."""
    keep, job = job[0], job[1:]
    _, month, days, kilowatts, name, _ = job
    if keep is None:
        return simulate(job)
    place = keep / f"{month}-{days}d-{kilowatts:g}kW-{name.replace(' ', '-')}.json"
    if place.exists():
        return job, json.loads(place.read_text())
    result = simulate(job)[1]
    place.write_text(json.dumps(result))
    return job, result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sessions", type=pathlib.Path)
    parser.add_argument("--months", nargs="+", default=MONTHS)
    parser.add_argument("--days", type=int, default=31, help="only cars that arrive in the first days of each month")
    parser.add_argument("--kilowatts", nargs="+", type=float, default=KILOWATTS, help="of the transformer")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--keep", type=pathlib.Path, help="directory for results; what is in it is not computed again")
    parser.add_argument("--quick", action="store_true", help="check acnportal's schedules quickly; its steps have no time then")
    parser.add_argument("--only", nargs="+", help=f"of: bound, {', '.join([*PEERS, *OURS])}")
    chosen = parser.parse_args()
    names = chosen.only or ["bound", *PEERS, "dlb"]
    jobs = [
        (chosen.keep, chosen.sessions, month, chosen.days, power, name, chosen.quick)
        for power in chosen.kilowatts
        for month in chosen.months
        for name in names
    ]
    if chosen.keep:
        chosen.keep.mkdir(parents=True, exist_ok=True)
    print(HEAD, flush=True)
    with multiprocessing.Pool(chosen.jobs) as pool:
        # In the order of the jobs: the table grows from month to month.
        results = pool.imap(remembered, jobs)
        for power in chosen.kilowatts:
            for month in chosen.months:
                of = {name: next(results)[1] for name in names}
                print(*rows(power, month, of), sep="\n", flush=True)


if __name__ == "__main__":
    main()
