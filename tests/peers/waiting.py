"""Waiting for what a site does by itself."""

import asyncio
import inspect


async def in_thread(work, *arguments, **keys):
    """What asks the box blocks, and chargers of the same test must go on meanwhile."""
    return await asyncio.to_thread(work, *arguments, **keys)


async def eventually(look, wanted=bool, seconds=20.0, every=0.1):
    """Looks until what it sees is wanted, and returns that; what it saw last goes into the failure. `look` may be
    something to await: `lambda: in_thread(box.site)`."""
    until = asyncio.get_running_loop().time() + seconds
    while True:
        seen = look()
        if inspect.isawaitable(seen):
            seen = await seen
        if wanted(seen):
            return seen
        assert asyncio.get_running_loop().time() < until, f"not within {seconds} s: {seen!r}"
        await asyncio.sleep(every)


async def holds(condition, seconds, every=0.02):
    """The condition is true in every look for so long."""
    until = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < until:
        value = condition()
        assert value, f"did not hold: {value!r}"
        await asyncio.sleep(every)


async def eventually_shown(box, charger, seconds=10, **wanted):
    """The API says this of a charger."""
    fits = lambda seen: all(seen[key] == value for key, value in wanted.items())
    return await eventually(lambda: in_thread(box.charger, charger), fits, seconds)


async def eventually_alert(box, alert, there=True, seconds=60):
    """An alert, as (about, code), is raised, or gone."""
    return await eventually(lambda: in_thread(box.alerts), lambda alerts: (alert in alerts) is there, seconds)
