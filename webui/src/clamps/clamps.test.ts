import { describe, expect, it } from 'vitest';
import { arrow, harmonicBars, tip, wavePath, waveTop } from './geometry';
import { said, type ClampLine } from './finding';

const BOX = { width: 140, height: 112, left: 40 };

describe('the clamps', () => {
  it('draws a wave with a gap where a sample was lost', () => {
    expect(wavePath(BOX, 10, [0, 10, null, -10, 0])).toBe('M40 56L65 6M115 106L140 56');
    expect(waveTop([[3, null, -12], [4]], 5)).toBe(12);
    expect(waveTop([[0.1]], 5)).toBe(5);
  });

  it('turns phasors against the clock', () => {
    expect(tip(100, 0)).toEqual({ x: 100, y: -0 });
    expect(tip(100, -120)).toEqual({ x: -50, y: 86.6 });
    expect(arrow(0, 30)).toContain('M0 0');
  });

  it('draws each harmonic as its share of the fundamental', () => {
    const bars = harmonicBars(BOX, [{ line: 'L1', rms: [10, 0, 2] }, { line: 'L2', rms: [0, 0, 0] }], () => 40);
    expect(bars.orders.map(({ order }) => order)).toEqual([2, 3]);
    expect(bars.all).toHaveLength(4);
    expect(bars.all[1]).toEqual({ line: 'L1', x: 96.3, y: 50, width: 18.8, height: 44 });
    expect(bars.all[3]?.height).toBe(0);
    const unseen = harmonicBars({ ...BOX, width: 0 }, [{ line: 'L1', rms: [10, 0, 2] }], () => 40);
    expect(unseen.all.map(({ width }) => width)).toEqual([0, 0]);
  });

  it('says what is wrong with a clamp and offers what software can do', () => {
    const line = (finding: string, other?: string) => ({ line: 'L2', finding, other, full_scale_a: 332 }) as ClampLine;
    expect(said(line('swapped', 'L3'))).toMatchObject({ key: 'clamp.swapped', weight: 'warn', act: 'swap', params: { line: 'L2', other: 'L3' } });
    expect(said(line('fits-turned'))).toMatchObject({ weight: 'good', act: null });
    expect(said(line('backwards')).act).toBe('turn');
    expect(said(line('something-new')).key).toBe('clamp.unclear');
  });
});
