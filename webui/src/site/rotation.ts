// How a charger's own L1, L2, L3 hang on the site's lines: the choices that an installer has.

import type { Key } from '../i18n/t';

export const ROTATIONS = ['unknown', 'L1L2L3', 'L2L3L1', 'L3L1L2', 'L1L3L2', 'L2L1L3', 'L3L2L1', 'L1', 'L2', 'L3', 'L1-L2', 'L2-L3', 'L3-L1'] as const;

/** The words for a choice; they take the parameter `lines`. */
export function rotationKey(rotation: string): Key {
  if (rotation === 'unknown') return 'rotation.unknown';
  if (rotation === 'L1L2L3') return 'rotation.straight';
  if (rotation.includes('-')) return 'rotation.between';
  return rotation.length === 2 ? 'rotation.single' : 'rotation.turned';
}
