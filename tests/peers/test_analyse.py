"""`dlb analyse` as a support engineer uses it: codes that Python made from formulas, against the formulas."""

import json
import math
import subprocess

import pytest

from box import BINARY

PHASES = ("L1", "L2", "L3")
ROOT2 = math.sqrt(2)


def board(adc, full_scale_v, hz, extra="", lead=0.9):
    text = f'adc = "{adc}"\nsample_rate_hz = 4000\nfull_scale_v = {full_scale_v}\nnominal_hz = {hz}\n{extra}\n'
    for number, phase in enumerate(PHASES, 1):
        text += f"""
[[channel]]
name = "i{number}"
kind = "current"
phase = "{phase}"
ratio = 2000.0
burden_ohm = 5.1
phase_error_deg = {lead}
"""
    for number, phase in enumerate(PHASES, 1):
        text += f"""
[[channel]]
name = "u{number}"
kind = "voltage"
phase = "{phase}"
ratio = 700.0
"""
    return text


def amps(line, angle, rms, lag, lead):
    """A fundamental behind a lag, and a fifth harmonic of a tenth of it; the clamp leads by less at the fifth."""
    first = math.sin(angle - lag + lead)
    fifth = 0.1 * math.sin(5 * (angle - lag) + lead / 5)
    return rms * ROOT2 * (first + fifth)


def rows(seconds, hz, loads, to_code, delay_s=0.0, lead=math.radians(0.9)):
    lines = ["i1,i2,i3,u1,u2,u3"]
    for n in range(int(seconds * 4000)):
        codes = []
        for channel in range(6):
            line, t = channel % 3, n / 4000 + channel * delay_s
            angle = 2 * math.pi * hz * t - 2 * math.pi / 3 * line
            if channel < 3:
                rms, lag = loads[line]
                volts = amps(line, angle, rms, lag, lead) / 2000 * 5.1
            else:
                volts = 230 * ROOT2 * math.sin(angle) / 700
            codes.append(to_code(volts))
        lines.append(",".join(map(str, codes)))
    return "\n".join(lines) + "\n"


def fine(volts):
    return round(volts / 1.2 * 2**23)


def coarse(volts):
    return max(0, min(4095, round((volts + 1.65) / 3.3 * 4096)))


def analyse(tmp_path, text, codes, *more):
    path = tmp_path / "board.toml"
    path.write_text(text)
    data = codes if isinstance(codes, bytes) else codes.encode()
    done = subprocess.run([BINARY, "analyse", "--board", path, *more], input=data, capture_output=True, timeout=60)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()


def near(value, truth, share):
    assert abs(value - truth) <= share * max(abs(truth), 1e-9), f"{value} is not {truth}"


@pytest.mark.parametrize("hz", [50.0, 49.7, 60.0])
def test_readings_of_three_phases_are_what_the_formulas_say(tmp_path, hz):
    loads = [(16.0, 0.0), (32.0, math.radians(60)), (8.0, math.pi)]
    status, lines, complaints = analyse(
        tmp_path, board("ads131m08", 1.2, round(hz, -1)), rows(2.2, hz, loads, fine), "--harmonics"
    )
    assert (status, complaints) == (0, "")
    *intervals, last = lines
    assert len(intervals) >= 6
    for interval in intervals:
        assert interval["quality"] == "good"
        near(interval["frequency_hz"], hz, 0.0001)
        for phase, (rms, lag) in zip(PHASES, loads):
            values = interval["phases"][phase]
            near(values["current_a"], rms * math.sqrt(1.01), 0.0005)
            near(values["voltage_v"], 230, 0.0005)
            near(values["power_w"], 230 * rms * math.cos(lag), 0.0005)
            near(values["current_harmonics_a"][4], 0.1 * rms, 0.01)
        near(interval["phases"]["L2"]["reactive_var"], 230 * 32 * math.sin(math.radians(60)), 0.0005)
    # Ten cycles at 50 Hz, twelve at 60.
    steps = [b["t_s"] - a["t_s"] for a, b in zip(intervals, intervals[1:])]
    cycles = 10 if hz < 55 else 12
    assert all(abs(step - cycles / hz) < 0.0005 for step in steps), steps
    near(last["summary"]["phases"]["L1"]["power_w"], 230 * 16, 0.0005)
    assert last["summary"]["clamps"]["L1"]["finding"] == "fits"
    assert last["summary"]["clamps"]["L3"]["finding"] == "backwards"


def test_twelve_bits_with_a_bias_and_one_channel_after_the_other_read_the_same(tmp_path):
    loads = [(40.0, math.radians(60)), (60.0, 0.0), (30.0, -0.6)]
    codes = rows(1.6, 50.0, loads, coarse, delay_s=20e-6)
    for delay, share in [(20e-6, 0.003), (0.0, None)]:
        text = board("mcp3208", 3.3, 50, f"channel_delay_s = {delay}")
        status, lines, _ = analyse(tmp_path, text, codes)
        assert status == 0
        found = lines[-1]["summary"]["phases"]["L1"]["power_w"]
        truth = 230 * 40 * math.cos(math.radians(60))
        if share:
            near(found, truth, share)
        else:
            assert abs(found / truth - 1) > 0.01, "without the delay the power is off"


def test_a_bad_row_has_its_number_on_standard_error_and_the_status_is_2(tmp_path):
    good = rows(1.0, 50.0, [(16.0, 0.0)] * 3, fine).splitlines(keepends=True)
    good[2000] = "1,2,x,4,5,6\n"
    status, lines, complaints = analyse(tmp_path, board("ads131m08", 1.2, 50), "".join(good))
    assert status == 2
    assert complaints.splitlines() == ['line 2001: i3: "x" is not a whole number']
    *intervals, last = lines
    assert [line["quality"] for line in intervals].count("doubtful") == 1
    near(last["summary"]["phases"]["L1"]["current_a"], 16 * math.sqrt(1.01), 0.001)


def test_an_unknown_key_of_a_board_is_refused_by_name(tmp_path):
    status, lines, complaints = analyse(tmp_path, board("ads131m08", 1.2, 50, "colour = 1"), "i1\n")
    assert (status, lines) == (2, [])
    assert "colour" in complaints and len(complaints.splitlines()) == 1


def test_the_schema_is_json(tmp_path):
    done = subprocess.run([BINARY, "analyse", "--schema"], capture_output=True, check=True, timeout=60)
    assert "interval" in json.loads(done.stdout)["$defs"]
