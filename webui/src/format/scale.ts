// From quantities to places on a bar or a chart.

export interface BarLoad {
  limit: number;
  used: number;
  building: number;
  charging: number;
  worst: number;
}

/** Room right of the limit post, so that an excess is seen as one. */
const BEYOND = 1.06;

/** Percent of a bar's width; the limit stands at the same place as long as nothing exceeds it. */
export function barScale(load: BarLoad): (ampere: number) => number {
  const most = Math.max(load.limit * BEYOND, load.used, load.building + load.charging, load.worst, 1);
  return (ampere) => Math.round((Math.min(Math.max(ampere, 0), most) / most) * 10_000) / 100;
}

/** Round steps for an axis from 0 to at least `most`: 1, 2 or 5 times a power of ten. */
export function ticks(most: number, about: number): number[] {
  const rough = Math.max(most, 1e-9) / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? 10 * power;
  return Array.from({ length: Math.ceil(most / step - 1e-9) + 1 }, (_, i) => Number((i * step).toPrecision(12)));
}
