/** Condition suffixes of Jcc, SETcc and CMOVcc by number (SDM vol. 1 app. B). */
export const CONDITIONS: readonly string[] = [
  'o',
  'no',
  'b',
  'ae',
  'e',
  'ne',
  'be',
  'a',
  's',
  'ns',
  'p',
  'np',
  'l',
  'ge',
  'le',
  'g',
];
