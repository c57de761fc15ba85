"""A central system on PyPI's `ocpp` package that answers and does nothing else: the yardstick for dlb's
OCPP server. It prints the port that it listens on."""

import asyncio
import itertools
import logging
from datetime import datetime, timezone

import websockets
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call_result

logging.getLogger("ocpp").setLevel(logging.WARNING)
TRANSACTIONS = itertools.count(1)
ACCEPTED = {"status": "Accepted"}


def utc() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")


class Station(ChargePoint):
    @on("BootNotification")
    async def on_boot(self, **_):
        return call_result.BootNotification(utc(), 300, "Accepted")

    @on("StatusNotification")
    async def on_status(self, **_):
        return call_result.StatusNotification()

    @on("StartTransaction")
    async def on_start(self, **_):
        return call_result.StartTransaction(next(TRANSACTIONS), ACCEPTED)

    @on("MeterValues")
    async def on_meter_values(self, **_):
        return call_result.MeterValues()


async def serve(socket):
    try:
        await Station(socket.request.path.rsplit("/", 1)[-1], socket).start()
    except websockets.ConnectionClosed:
        pass


async def main():
    async with websockets.serve(
        serve, "127.0.0.1", 0, subprotocols=["ocpp1.6"], compression=None, ping_interval=20
    ) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
