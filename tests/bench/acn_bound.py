"""Perfect foresight: how much energy could have been delivered by somebody who knew every car of the month in
advance and could give any current from 0 to the maximum. A linear program for each stretch of time
without a pause between cars; the circles of the phasor limits are replaced by polygons around them, so
that the figure is an upper bound.
"""

import cmath
import math

import numpy
import scipy.optimize
import scipy.sparse

VOLTS = 208
# Every 7.5°: the polygon is wider than the circle by at most 0.2 %.
DIRECTIONS = [cmath.exp(-1j * math.radians(degrees)) for degrees in numpy.arange(0, 360, 7.5)]


def bound(network, sessions, period_min, most):
    """Ampere-periods that perfect foresight delivers."""
    return sum(solve(network, part, period_min, most) for part in stretches(sessions))


def stretches(sessions):
    part, end = [], None
    for session in sorted(sessions, key=lambda session: session.arrival):
        if part and session.arrival >= end:
            yield part
            part = []
        end = max(end, session.departure) if part else session.departure
        part.append(session)
    if part:
        yield part


def faces(network):
    """Half-planes over the groups of outlets that no limit tells apart: (group, factors, limit)."""
    columns = {}
    matrix = network.constraint_matrix * numpy.exp(1j * numpy.deg2rad(network._phase_angles))
    for ix, station in enumerate(network.station_ids):
        columns.setdefault(tuple(numpy.round(matrix[:, ix], 9)), []).append(station)
    groups = list(columns.values())
    factors = numpy.array(list(columns))
    found = set()
    for row, limit in enumerate(network.magnitudes):
        for direction in DIRECTIONS:
            face = numpy.round((factors[:, row] * direction).real, 9)
            if (face > 0).any():
                found.add((tuple(face), float(limit)))
    return groups, sorted(found)


def solve(network, sessions, period_min, most):
    groups, half_planes = faces(network)
    group_of = {station: ix for ix, stations in enumerate(groups) for station in stations}
    begin = min(session.arrival for session in sessions)
    periods = max(session.departure for session in sessions) - begin
    rows, columns, values, limits = [], [], [], []
    equal_rows, equal_columns, equal_values = [], [], []
    count = 0
    for nth, session in enumerate(sessions):
        for period in range(session.arrival - begin, session.departure - begin):
            rows.append(nth), columns.append(count), values.append(1.0)
            equal_rows.append(period * len(groups) + group_of[session.station])
            equal_columns.append(count), equal_values.append(1.0)
            count += 1
        limits.append(session.kwh * 1000 / VOLTS * 60 / period_min)
    sums = periods * len(groups)
    for ix in range(sums):
        equal_rows.append(ix), equal_columns.append(count + ix), equal_values.append(-1.0)
    row = len(sessions)
    for period in range(periods):
        for face, limit in half_planes:
            for group, factor in enumerate(face):
                if factor:
                    rows.append(row), columns.append(count + period * len(groups) + group), values.append(factor)
            limits.append(limit)
            row += 1
    result = scipy.optimize.linprog(
        numpy.concatenate([-numpy.ones(count), numpy.zeros(sums)]),
        A_ub=scipy.sparse.csr_matrix((values, (rows, columns)), shape=(row, count + sums)),
        b_ub=limits,
        A_eq=scipy.sparse.csr_matrix((equal_values, (equal_rows, equal_columns)), shape=(sums, count + sums)),
        b_eq=numpy.zeros(sums),
        bounds=[(0, most)] * count + [(0, None)] * sums,
        method="highs",
    )
    if result.status != 0:
        raise RuntimeError(f"the linear program of the bound: {result.message}")
    return -result.fun
