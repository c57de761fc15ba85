// Geometry of the clamps' diagrams: waves to paths, phasors to arrows.

export interface Box {
  width: number;
  height: number;
  /** Room for the labels on the left. */
  left: number;
}

export interface Point {
  x: number;
  y: number;
}

/** A wave through the middle of the box; a lost sample is a gap in the line. */
export function wavePath(box: Box, top: number, wave: readonly (number | null)[]): string {
  const across = (box.width - box.left) / Math.max(1, wave.length - 1);
  let path = '';
  let drawing = false;
  wave.forEach((value, i) => {
    if (value !== null) path += `${drawing ? 'L' : 'M'}${round(box.left + i * across)} ${waveY(box, top, value)}`;
    drawing = value !== null;
  });
  return path;
}

export function waveY(box: Box, top: number, value: number): number {
  return round(box.height / 2 - (value / top) * (box.height / 2 - 6));
}

/** The largest value of any wave, or the least that a diagram should show. */
export function waveTop(waves: readonly (readonly (number | null)[])[], least: number): number {
  return waves.flat().reduce<number>((most, value) => Math.max(most, Math.abs(value ?? 0)), least);
}

/** Where a phasor ends: angles turn against the clock from the right, as in every textbook. */
export function tip(length: number, degrees: number): Point {
  const angle = (degrees * Math.PI) / 180;
  return { x: round(length * Math.cos(angle)), y: round(-length * Math.sin(angle)) };
}

/** An arrow from the middle, with its head. */
export function arrow(length: number, degrees: number): string {
  const end = tip(length, degrees);
  const left = tip(Math.max(0, length - 8), degrees + 300 / Math.max(length, 30));
  const right = tip(Math.max(0, length - 8), degrees - 300 / Math.max(length, 30));
  return `M0 0L${end.x} ${end.y}M${left.x} ${left.y}L${end.x} ${end.y}L${right.x} ${right.y}`;
}

/** A line's harmonics, from the fundamental up. */
export interface Harmonics {
  line: string;
  rms: readonly number[];
  distortion?: number | null | undefined;
}

/** Side by side for each order from the second on, in percent of the fundamental; `reach` rounds the largest up. */
export function harmonicBars(box: Box, lines: readonly Harmonics[], reach: (most: number) => number) {
  const shares = lines.map(({ rms }) => rms.slice(1).map((value) => (rms[0] ? (100 * value) / rms[0] : 0)));
  const top = reach(Math.max(1, ...shares.flat()));
  const floor = box.height - 18;
  const count = Math.max(1, ...shares.map(({ length }) => length));
  // A frame that has not been laid out yet is narrower than its own margin.
  const slot = Math.max(0, box.width - box.left) / count;
  const width = round((0.75 * slot) / Math.max(1, lines.length));
  const orders = Array.from({ length: count }, (_, i) => ({ order: i + 2, x: round(box.left + (i + 0.5) * slot) }));
  const all = shares.flatMap((share, at) =>
    share.map((percent, i) => {
      const height = round((percent / top) * (floor - 6));
      return { line: lines[at]?.line ?? '', x: round(box.left + (i + 0.125) * slot + at * width), y: round(floor - height), width, height };
    }),
  );
  return { top, floor, orders, all };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
