// The answer to "is the site fine?", in one level and one sentence.

import type { Key, Params } from '../i18n/t';
import type { Site } from '../state/live.svelte';
import { tightest } from './lines';

export type Level = 'good' | 'warning' | 'alarm' | 'unknown';

export interface Verdict {
  level: Level;
  key: Key;
  params: Params;
}

/** Meters round, and a fuse does not mind: less than this above a limit is at the limit. */
const TOLERANCE_A = 0.5;

export function verdict(site: Site): Verdict {
  const tight = tightest(site);
  if (!tight) return { level: 'unknown', key: 'verdict.empty', params: {} };
  const place = { line: tight.line, circuit: tight.circuit };
  if (tight.measured && tight.free < -TOLERANCE_A) return { level: 'alarm', key: 'verdict.over', params: place };
  const alarms = count(site, 'alarm');
  if (alarms > 0) return { level: 'alarm', key: 'verdict.alarm', params: { n: alarms } };
  if (site.mode === 'static') return { level: 'warning', key: site.meters.length === 0 ? 'verdict.no-meter' : 'verdict.static', params: {} };
  const warnings = count(site, 'warning');
  if (warnings > 0) return { level: 'warning', key: 'verdict.warning', params: { n: warnings } };
  return { level: 'good', key: 'verdict.good', params: {} };
}

function count(site: Site, severity: string): number {
  return site.alerts.filter((alert) => alert.severity === severity).length;
}
