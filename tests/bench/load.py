"""Many light OCPP 1.6 chargers in one process: plain JSON on websockets, so that the server under
measurement, not this, is the slow side.

    load.py URL --count 500 --seconds 30 --every 10    each sends MeterValues every 10 s
    load.py URL --count 500 --seconds 10               each sends the next as soon as the last is answered

Every charger boots, tells its status and starts a transaction. Then `ready` is printed, a line is awaited on
standard input, and the measured part begins; its result is printed as one JSON object.
"""

import argparse
import asyncio
import json
import sys
import time

import websockets

SETTINGS = {
    "ChargingScheduleAllowedChargingRateUnit": "Current",
    "ChargeProfileMaxStackLevel": "10",
    "MeterValueSampleInterval": "10",
    "NumberOfConnectors": "1",
    "MeterValuesSampledData": "Energy.Active.Import.Register,Current.Import",
    "SupportedFeatureProfiles": "Core,SmartCharging,RemoteTrigger",
}
CONNECTING_AT_ONCE = 20


def utc() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class Charger:
    def __init__(self, url, number):
        self.url = f"{url}/CP-{number}"
        self.limit = 6.0
        self.limits = 0
        self.energy_wh = 1000
        self.last = 0
        self.answers = {}
        self.seconds = []

    async def begin(self):
        self.socket = await websockets.connect(
            self.url, subprotocols=["ocpp1.6"], compression=None, ping_interval=None, open_timeout=60
        )
        self.reading = asyncio.create_task(self.read())
        await self.call("BootNotification", {"chargePointVendor": "Load", "chargePointModel": "Light"})
        await self.status("Available")
        await self.status("Preparing")
        start = {"connectorId": 1, "idTag": "TAG", "meterStart": self.energy_wh, "timestamp": utc()}
        self.transaction = (await self.call("StartTransaction", start))["transactionId"]
        await self.status("Charging")

    async def read(self):
        async for raw in self.socket:
            frame = json.loads(raw)
            if frame[0] == 2:
                answer = self.answer(frame[2], frame[3])
                await self.socket.send(json.dumps([3, frame[1], answer]))
            elif frame[0] == 3:
                self.answers.pop(frame[1]).set_result(frame[2])
            else:
                raise RuntimeError(f"the server answers with an error: {raw}")

    def answer(self, action, payload):
        if action == "SetChargingProfile":
            profile = payload["csChargingProfiles"]
            if profile["chargingProfilePurpose"] == "TxProfile":
                self.limit = profile["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"]
                self.limits += 1
        elif action == "GetConfiguration":
            names = payload.get("key") or list(SETTINGS)
            known = [{"key": n, "readonly": False, "value": SETTINGS[n]} for n in names if n in SETTINGS]
            return {"configurationKey": known, "unknownKey": [n for n in names if n not in SETTINGS]}
        return {"status": "Accepted"}

    async def call(self, action, payload):
        self.last += 1
        answer = self.answers[str(self.last)] = asyncio.get_running_loop().create_future()
        await self.socket.send(json.dumps([2, str(self.last), action, payload]))
        return await asyncio.wait_for(answer, 60)

    async def status(self, status):
        await self.call(
            "StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": status, "timestamp": utc()}
        )

    async def measure(self):
        amps = min(self.limit, 16.0) if self.limit >= 6 else 0.0
        self.energy_wh += 1
        values = [
            {"value": f"{amps:.1f}", "measurand": "Current.Import", "phase": f"L{line}", "unit": "A"}
            for line in (1, 2, 3)
        ]
        register = {"value": str(self.energy_wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"}
        sample = {"timestamp": utc(), "sampledValue": [*values, register]}
        began = time.perf_counter()
        await self.call(
            "MeterValues", {"connectorId": 1, "transactionId": self.transaction, "meterValue": [sample]}
        )
        self.seconds.append(time.perf_counter() - began)

    async def work(self, until, every, offset):
        """Measures on its beat, or without a pause, until the time is over."""
        await asyncio.sleep(offset)
        while time.monotonic() < until:
            began = time.monotonic()
            await self.measure()
            if every:
                await asyncio.sleep(min(began + every, until) - time.monotonic())


async def main(options):
    chargers = [Charger(options.url, number) for number in range(options.count)]
    gate = asyncio.Semaphore(CONNECTING_AT_ONCE)

    async def begin(charger):
        async with gate:
            await charger.begin()

    await asyncio.gather(*map(begin, chargers))
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    began, processor = time.monotonic(), time.process_time()
    for charger in chargers:
        charger.limits = 0
    until = began + options.seconds
    steps = (options.every or 0) / options.count
    await asyncio.gather(*(c.work(until, options.every, i * steps) for i, c in enumerate(chargers)))
    seconds = sorted(second for charger in chargers for second in charger.seconds)
    result = {
        "answered": len(seconds),
        "seconds": time.monotonic() - began,
        "own_processor": time.process_time() - processor,
        "limits": sum(charger.limits for charger in chargers),
        "p50": seconds[len(seconds) // 2],
        "p99": seconds[len(seconds) * 99 // 100],
    }
    print(json.dumps(result), flush=True)
    await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("url")
    arguments.add_argument("--count", type=int, required=True)
    arguments.add_argument("--seconds", type=float, required=True)
    arguments.add_argument("--every", type=float)
    asyncio.run(main(arguments.parse_args()))
