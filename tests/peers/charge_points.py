"""Charge points written on PyPI's `ocpp` package: not ours, so they test that dlb speaks OCPP and not
merely to itself. Each class below is one way in which a real charger behaves."""

import asyncio
import contextlib
import logging
import time
from datetime import datetime, timezone

import websockets
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result

logging.getLogger("ocpp").setLevel(logging.WARNING)


def utc() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")


def seconds_until(timestamp: str) -> float:
    return (datetime.fromisoformat(timestamp) - datetime.now(timezone.utc)).total_seconds()


def limit_now(profile, now) -> float:
    return [amps for begins, amps in profile["periods"] if begins <= now][-1]


class Car:
    def __init__(self, phases=3, max_a=32.0):
        self.phases = phases
        self.max_a = max_a


class ObedientCharger(ChargePoint):
    """Follows the profile in force at once; three phases, decimal amperes."""

    volts = 230.0
    unit = "A"
    rating = 32.0

    def __init__(self, identity, socket):
        super().__init__(identity, socket)
        self.identity = identity
        self.profiles = {}
        self.received = []
        self.transaction = None
        self.began = time.monotonic()
        self.car = None
        self.energy_wh = 1000.0
        self.status = "Available"
        self.measure_every = 2.0
        self.tasks = []
        self.settings = {
            "ChargingScheduleAllowedChargingRateUnit": "Current" if self.unit == "A" else "Power",
            "ChargeProfileMaxStackLevel": "10",
            "MeterValueSampleInterval": "10",
            "NumberOfConnectors": "1",
            "MeterValuesSampledData": "Energy.Active.Import.Register",
            "SupportedFeatureProfiles": "Core,SmartCharging,RemoteTrigger",
        }

    # -- what flows ---------------------------------------------------------------------------------

    def allowed(self) -> float:
        """Amperes by the profiles in force: TxProfile before TxDefaultProfile, highest stack first."""
        now = time.monotonic()
        limits = []
        for purpose in ("TxProfile", "TxDefaultProfile"):
            profiles = [p for p in list(self.profiles.values()) if p["purpose"] == purpose and p["ends"] > now]
            if purpose == "TxProfile" and self.transaction is None:
                continue
            if profiles:
                limits.append(limit_now(max(profiles, key=lambda p: p["stack"]), now))
                break
        station = [p for p in self.profiles.values() if p["purpose"] == "ChargePointMaxProfile"]
        limits += [limit_now(p, now) for p in station if p["ends"] > now]
        return min(limits + [self.rating])

    def draws(self) -> float:
        if self.car is None or self.transaction is None:
            return 0.0
        allowed = self.obeyed(self.allowed())
        return 0.0 if allowed < 6 else min(allowed, self.car.max_a)

    def obeyed(self, allowed: float) -> float:
        return allowed

    # -- what dlb asks --------------------------------------------------------------------------------

    @on("SetChargingProfile")
    async def on_set_charging_profile(self, connector_id, cs_charging_profiles, **_):
        profile = cs_charging_profiles
        schedule = profile["charging_schedule"]
        purpose = profile["charging_profile_purpose"]
        self.received.append((time.monotonic(), purpose, schedule))
        refused = self.refuses(purpose, schedule)
        if refused:
            return call_result.SetChargingProfile(refused)
        now = time.monotonic()
        start = now
        if profile["charging_profile_kind"] == "Absolute" and "start_schedule" in schedule:
            start += seconds_until(schedule["start_schedule"])
        elif purpose == "TxProfile":
            start = self.began
        ends = start + schedule["duration"] if "duration" in schedule else float("inf")
        if "valid_to" in profile:
            ends = min(ends, now + seconds_until(profile["valid_to"]))
        self.profiles[profile["charging_profile_id"]] = {
            "purpose": purpose,
            "stack": profile["stack_level"],
            "periods": [
                (start + period["start_period"], self.amps_of(period["limit"], schedule))
                for period in schedule["charging_schedule_period"]
            ],
            "ends": ends,
        }
        return call_result.SetChargingProfile("Accepted")

    def amps_of(self, limit, schedule):
        limit = float(limit)
        return limit if schedule["charging_rate_unit"] == "A" else limit / self.volts / 3

    def refuses(self, purpose, schedule):
        if schedule["charging_rate_unit"] != self.unit:
            return "Rejected"
        if purpose == "TxProfile" and self.transaction is None:
            return "Rejected"
        return None

    @on("ClearChargingProfile")
    async def on_clear(self, id=None, charging_profile_purpose=None, **_):
        gone = [
            key
            for key, profile in self.profiles.items()
            if (id is None or key == id)
            and (charging_profile_purpose is None or profile["purpose"] == charging_profile_purpose)
        ]
        for key in gone:
            del self.profiles[key]
        return call_result.ClearChargingProfile("Accepted" if gone else "Unknown")

    @on("GetConfiguration")
    async def on_get_configuration(self, key=None, **_):
        names = key or list(self.settings)
        known = [
            {"key": name, "readonly": False, "value": self.settings[name]}
            for name in names
            if name in self.settings
        ]
        unknown = [name for name in names if name not in self.settings]
        return call_result.GetConfiguration(known, unknown)

    @on("ChangeConfiguration")
    async def on_change_configuration(self, key, value, **_):
        if key not in self.settings:
            return call_result.ChangeConfiguration("NotSupported")
        self.settings[key] = value
        return call_result.ChangeConfiguration("Accepted")

    @on("TriggerMessage")
    async def on_trigger(self, requested_message, connector_id=None, **_):
        actions = {
            "StatusNotification": self.notify,
            "MeterValues": self.measure,
            "BootNotification": self.boot,
        }
        action = actions.get(requested_message)
        if action is None:
            return call_result.TriggerMessage("NotImplemented")
        self.background(self.later(action))
        return call_result.TriggerMessage("Accepted")

    @on("RemoteStopTransaction")
    async def on_remote_stop(self, transaction_id, **_):
        self.background(self.later(self.unplug))
        return call_result.RemoteStopTransaction("Accepted")

    # -- what happens at the outlet ---------------------------------------------------------------------

    async def boot(self):
        await self.call(
            call.BootNotification(
                charge_point_model=type(self).__name__,
                charge_point_vendor="Peer",
                charge_point_serial_number=self.identity,
                firmware_version="1.0",
            )
        )
        await self.notify()

    async def notify(self, status=None):
        self.status = status or self.status
        await self.call(
            call.StatusNotification(connector_id=1, error_code="NoError", status=self.status, timestamp=utc())
        )

    async def plug(self, car):
        self.car = car
        await self.notify("Preparing")
        answer = await self.call(call.Authorize(id_tag="TAG"))
        assert answer.id_tag_info["status"] == "Accepted", answer
        answer = await self.call(
            call.StartTransaction(
                connector_id=1, id_tag="TAG", meter_start=int(self.energy_wh), timestamp=utc()
            )
        )
        self.transaction, self.began = answer.transaction_id, time.monotonic()
        await self.notify("Charging")
        return self.transaction

    async def unplug(self):
        transaction, self.transaction = self.transaction, None
        self.car = None
        if transaction is not None:
            await self.call(
                call.StopTransaction(
                    meter_stop=int(self.energy_wh),
                    timestamp=utc(),
                    transaction_id=transaction,
                    reason="EVDisconnected",
                )
            )
        await self.notify("Available")

    async def measure(self):
        amps = self.draws()
        phases = self.car.phases if self.car else 0
        values = [
            {
                "value": f"{amps if phase <= phases else 0:.1f}",
                "measurand": "Current.Import",
                "phase": f"L{phase}",
                "unit": "A",
            }
            for phase in (1, 2, 3)
        ]
        values.append(
            {
                "value": f"{self.energy_wh:.0f}",
                "measurand": "Energy.Active.Import.Register",
                "unit": "Wh",
            }
        )
        message = {"connector_id": 1, "meter_value": [{"timestamp": utc(), "sampled_value": values}]}
        if self.transaction is not None:
            message["transaction_id"] = self.transaction
        await self.call(call.MeterValues(**message))

    # -- life ---------------------------------------------------------------------------------------------

    async def live(self):
        """Measures until the connection ends."""
        while True:
            await asyncio.sleep(self.measure_every)
            self.energy_wh += self.draws() * self.volts * (self.car.phases if self.car else 0) * self.measure_every / 3600
            await self.measure()

    async def later(self, action):
        await asyncio.sleep(0.05)
        await action()

    def background(self, work):
        self.tasks.append(asyncio.ensure_future(work))


class LateCharger(ObedientCharger):
    """Answers, and obeys, seconds late."""

    delay = 4.0

    @on("SetChargingProfile")
    async def on_set_charging_profile(self, **arguments):
        await asyncio.sleep(self.delay)
        return await ObedientCharger.on_set_charging_profile(self, **arguments)


class NoTxProfileCharger(ObedientCharger):
    """Takes TxDefaultProfile only, and applies it to the running transaction."""

    def refuses(self, purpose, schedule):
        return "Rejected" if purpose == "TxProfile" else super().refuses(purpose, schedule)


class WattsCharger(ObedientCharger):
    """Takes limits in watts only."""

    unit = "W"


class GreedyCharger(ObedientCharger):
    """Accepts every limit and goes on drawing what the car can take."""

    def obeyed(self, allowed):
        return self.rating


@contextlib.asynccontextmanager
async def connected(kind, box, identity, boot=True):
    """A charge point of this kind, connected to the box and living."""
    async with websockets.connect(f"{box.ocpp_url}/{identity}", subprotocols=["ocpp1.6"]) as socket:
        charger = kind(identity, socket)
        listening = asyncio.ensure_future(charger.start())
        living = None
        try:
            if boot:
                await charger.boot()
            living = asyncio.ensure_future(charger.live())
            yield charger
        finally:
            for task in [listening, living, *charger.tasks]:
                if task is not None:
                    task.cancel()
