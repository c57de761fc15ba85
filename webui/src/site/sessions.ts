import type { SessionRecord } from '../api/box';
import type { Charger } from '../state/live.svelte';

/** Sessions with what the running ones have taken so far: the record is written when they end. */
export function upToNow(sessions: SessionRecord[], chargers: Charger[]): SessionRecord[] {
  return sessions.map((record) => {
    const running = chargers.find(({ id, session }) => id === record.charger && session?.session === record.session);
    return record.why == null && running?.session ? { ...record, energy_wh: running.session.energy_wh } : record;
  });
}
