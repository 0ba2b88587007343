/** How numbers look in every text of the project: hexadecimal addresses, thousands separators, binary sizes. */

/** `0x00401000`: eight digits, unsigned. */
export const hex32 = (value: number): string => `0x${(value >>> 0).toString(16).padStart(8, '0')}`;

/** `12,345,678`. The value is an integer (or is rounded down); no locale is asked, so the bytes are the same everywhere. */
export function thousands(value: number): string {
  const digits = Math.trunc(Math.abs(value)).toString();
  const grouped = digits.replace(/\B(?=(\d{3})+$)/g, ',');
  return value < 0 ? `-${grouped}` : grouped;
}

const UNITS: readonly (readonly [number, string])[] = [
  [2 ** 30, 'GiB'],
  [2 ** 20, 'MiB'],
  [2 ** 10, 'KiB'],
];

/** `4 KiB`, `32 MiB`, `1.5 MiB`, `100 B`: at most one decimal. */
export function binarySize(bytes: number): string {
  for (const [unit, name] of UNITS) {
    if (bytes >= unit) return `${Math.round((bytes / unit) * 10) / 10} ${name}`;
  }
  return `${bytes} B`;
}

/** `1 page`, `2 pages`. */
export const plural = (count: number, noun: string, nouns: string = `${noun}s`): string =>
  `${thousands(count)} ${count === 1 ? noun : nouns}`;
