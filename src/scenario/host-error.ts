/**
 * What the person at the command line did wrong, in one sentence that names the file, key, option or offset and says
 * what would be right (machine.md §7). Thrown below the command line, shown by it with exit code 2; never used for
 * what a guest does, and never for a bug of ours.
 */
export class HostError extends Error {
  override readonly name = 'HostError';

  /** The full stop is added when the sentence has no end. */
  constructor(sentence: string) {
    super(/[.?]$/.test(sentence) ? sentence : `${sentence}.`);
  }
}

/** `'story.json'` in a sentence: quoted, control characters made visible, cut when it is too long. */
export function quoted(text: string): string {
  const visible = [...text].map((c) => (c < ' ' || c === '\u007f' ? '?' : c));
  return `'${visible.length > 60 ? `${visible.slice(0, 57).join('')}...` : visible.join('')}'`;
}
