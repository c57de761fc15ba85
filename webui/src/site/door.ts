// Where chargers find this box.

/** What a charger is told to connect to, where the box listens at `listening`: at every address of the box stands
 *  for the one at which this browser reached it. Null: that is no address and port. */
export function chargerAddress(listening: string, here: string): string | null {
  const [, host, port] = /^(.+):([1-9]\d*)$/.exec(listening) ?? [];
  if (!host) return null;
  return `ws://${['0.0.0.0', '[::]'].includes(host) ? here : host}:${port}/`;
}
