// How hard a password is to guess, roughly: enough for a hint, not for a rule. The rule is the box's.

export type Strength = 'short' | 'weak' | 'fair' | 'strong';

const COMMON = /^(passwor[td]|kennwort|qwert[yz]|admin|hallo|welcome|willkommen|letmein|dlb|charger|wallbox|1234|0000|abcd)/i;

export function strength(password: string, shortest: number): Strength {
  if ([...password].length < shortest) return 'short';
  const bits = guesses(password);
  if (bits < 40 || COMMON.test(password)) return 'weak';
  return bits < 60 ? 'fair' : 'strong';
}

/** Bits, were its characters drawn at random from their kinds; repeats and runs count little. */
function guesses(password: string): number {
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^a-zA-Z\d]/].filter((kind) => kind.test(password)).length;
  const characters = [...password];
  const fresh = characters.filter((character, i) => !follows(characters[i - 1], character)).length;
  const variety = Math.min(fresh, new Set(characters).size * 2);
  return variety * [0, 3.3, 4, 4.7, 5.2][kinds]!;
}

function follows(before: string | undefined, character: string): boolean {
  return before !== undefined && Math.abs(character.charCodeAt(0) - before.charCodeAt(0)) <= 1;
}
