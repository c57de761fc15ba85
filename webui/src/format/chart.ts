// Geometry of a day's chart: from series with gaps to the path of a line, and from a place back to a time.

export interface Frame {
  width: number;
  height: number;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

export interface Axis {
  from: number;
  to: number;
}

export type Values = readonly (number | null)[];

export function across(frame: Frame, time: Axis, at: number): number {
  const room = frame.width - frame.left - frame.right;
  return round(frame.left + ((at - time.from) / (time.to - time.from)) * room);
}

export function up(frame: Frame, top: number, value: number): number {
  const room = frame.height - frame.top - frame.bottom;
  return round(frame.height - frame.bottom - (value / top) * room);
}

/** The time at a place, kept inside the axis. */
export function timeAt(frame: Frame, time: Axis, x: number): number {
  const room = frame.width - frame.left - frame.right;
  const share = Math.min(1, Math.max(0, (x - frame.left) / room));
  return time.from + share * (time.to - time.from);
}

/** A path through the middle of every step; a gap in the values is a gap in the line. */
export function linePath(frame: Frame, time: Axis, top: number, from: number, stepMs: number, values: Values): string {
  let path = '';
  let drawing = false;
  values.forEach((value, i) => {
    if (value !== null) {
      const x = across(frame, time, from + (i + 0.5) * stepMs);
      path += `${drawing ? 'L' : 'M'}${x} ${up(frame, top, Math.max(0, value))}`;
      // A lone value between two gaps would be invisible.
      if (!drawing && (values[i + 1] ?? null) === null) path += 'h1';
    }
    drawing = value !== null;
  });
  return path;
}

/** Stairs: a limit holds until it changes. */
export function stairPath(frame: Frame, time: Axis, top: number, from: number, stepMs: number, values: Values): string {
  let path = '';
  let before: number | null = null;
  values.forEach((value, i) => {
    if (value !== null) {
      const y = up(frame, top, Math.max(0, value));
      const x = across(frame, time, from + i * stepMs);
      path += before === null ? `M${x} ${y}` : value === before ? '' : `H${x}V${y}`;
      const last = (values[i + 1] ?? null) === null;
      if (last) path += `H${across(frame, time, from + (i + 1) * stepMs)}`;
    }
    before = value;
  });
  return path;
}

/** The area under a line, closed along the bottom, piece by piece. */
export function areaPath(frame: Frame, time: Axis, top: number, from: number, stepMs: number, values: Values): string {
  const floor = up(frame, top, 0);
  return pieces(values)
    .map(([start, end]) => {
      const points = values.slice(start, end).map((value, i) => `L${across(frame, time, from + (start + i + 0.5) * stepMs)} ${up(frame, top, Math.max(0, value ?? 0))}`);
      const first = across(frame, time, from + (start + 0.5) * stepMs);
      const last = across(frame, time, from + (end - 0.5) * stepMs);
      return `M${first} ${floor}${points.join('')}L${last} ${floor}Z`;
    })
    .join('');
}

/** Stretches without a gap, as [start, end). */
function pieces(values: Values): [number, number][] {
  const found: [number, number][] = [];
  values.forEach((value, i) => {
    if (value === null) return;
    const open = found.at(-1);
    if (open && open[1] === i) open[1] = i + 1;
    else found.push([i, i + 1]);
  });
  return found;
}

/** Element by element; a value that is missing everywhere stays missing. */
export function sum(lists: readonly Values[]): (number | null)[] {
  const length = Math.max(0, ...lists.map((list) => list.length));
  return Array.from({ length }, (_, i) => {
    const there = lists.map((list) => list[i] ?? null).filter((value) => value !== null);
    return there.length === 0 ? null : there.reduce((total, value) => total + value, 0);
  });
}

export interface Peak {
  value: number;
  at: number;
}

export function peak(values: Values): Peak | null {
  return values.reduce<Peak | null>((best, value, at) => (value !== null && (best === null || value > best.value) ? { value, at } : best), null);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
