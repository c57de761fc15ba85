// What the page says about a number before the box has answered. The box has the last word.

export const RANGES = {
  limitAmps: { low: 1, high: 6300 },
  limitKilowatts: { low: 0.1, high: 10_000 },
  assumedAmps: { low: 0, high: 6300 },
  chargerAmps: { low: 6, high: 80 },
  fallbackAmps: { low: 0, high: 80 },
  stepAmps: { low: 0.01, high: 10 },
  dcKilowatts: { low: 1, high: 1000 },
  efficiency: { low: 0.5, high: 1 },
  priority: { low: 0, high: 255, whole: true },
  weight: { low: 0.01, high: 100 },
  outlet: { low: 1, high: 16, whole: true },
  unit: { low: 0, high: 255, whole: true },
  baud: { low: 1200, high: 921_600, whole: true },
  meterEvery: { low: 0.1, high: 60 },
  lostAfter: { low: 1, high: 300 },
  raiseAfter: { low: 1, high: 3600 },
  limitLifetime: { low: 20, high: 3600 },
  meterValuesEvery: { low: 1, high: 900 },
  drawnValidFor: { low: 2, high: 3600 },
} as const;
