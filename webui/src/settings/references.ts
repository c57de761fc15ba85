// Names that other entries refer to: renaming follows, removing what is in use is not offered.

import type { SiteFile } from '../api/box';

/** Whoever names this circuit: circuits below, meters, chargers, contacts, relays. */
export function usersOf(file: SiteFile, circuit: string): string[] {
  const below = (file.circuit ?? []).filter(({ parent }) => parent === circuit);
  const meters = (file.meter ?? []).filter((meter) => meter.circuit === circuit);
  const chargers = (file.charger ?? []).filter((charger) => charger.circuit === circuit);
  const inputs = (file.input ?? []).filter((input) => input.circuit === circuit);
  const outputs = (file.output ?? []).filter((output) => output.circuit === circuit);
  return [...below, ...meters, ...chargers, ...inputs, ...outputs].map(({ id }) => id);
}

export function usersOfPort(file: SiteFile, port: string): string[] {
  return [...(file.meter ?? []), ...(file.charger ?? [])].filter((user) => user.port === port).map(({ id }) => id);
}

export function renameCircuit(file: SiteFile, before: string, after: string): void {
  // Two of the same name: nobody can tell whose users they are.
  if (before === '' || (file.circuit ?? []).filter(({ id }) => id === before).length > 0) return;
  for (const circuit of file.circuit ?? []) if (circuit.parent === before) circuit.parent = after;
  for (const user of [...(file.meter ?? []), ...(file.charger ?? []), ...(file.input ?? []), ...(file.output ?? [])]) if (user.circuit === before) user.circuit = after;
  if (file.adoption?.circuit === before) file.adoption.circuit = after;
}

export function renamePort(file: SiteFile, before: string, after: string): void {
  if (before === '' || (file.port ?? []).filter(({ id }) => id === before).length > 0) return;
  for (const user of [...(file.meter ?? []), ...(file.charger ?? [])]) if (user.port === before) user.port = after;
}

/** The first of them, for a sentence. */
export function few(users: readonly string[]): string {
  return users.slice(0, 4).join(', ') + (users.length > 4 ? ' …' : '');
}
