// Names for new things that nobody has yet.

/** `bay` and the first number that is free: bay-1, bay-2, … */
export function nextId(stem: string, taken: readonly string[]): string {
  let n = 1;
  while (taken.includes(`${stem}-${n}`)) n += 1;
  return `${stem}-${n}`;
}
