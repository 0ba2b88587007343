/** Exploration of `races`, the program with a race for every fault switch: found with the switch, not without. */
import { describe, expect, it } from 'vitest';
import { physmem } from '../cli/shipped.ts';

const SWITCHES = [
  ['skipShootdown=on', 'I18'],
  ['dontWaitForAcks=on', 'I18'],
  ['freeBeforeFlush=on', 'I19'],
  ['keepWriteAccess=on', 'I17'],
  ['ignorePins=on', 'I24'],
  ['skipZeroing=on', 'I29'],
  ['loseIpi=1', 'late: shootdown'],
  ['delayIpi=3M', 'late: shootdown'],
] as const;

describe('physmem explore races', () => {
  it.each(SWITCHES)('finds what faults.%s breaks, and says so: %s', async (setting, said) => {
    const found = await physmem([
      'explore',
      'races',
      '--set',
      `faults.${setting}`,
      '--runs',
      '4',
      '--out',
      'found.txt',
    ]);
    expect([found.code, found.out]).toEqual([
      1,
      expect.stringMatching(new RegExp(`^FAILED, .*${said}`, 'm')),
    ]);
    expect(found.io.written.get('found.txt')).toContain(`set faults.${setting}`);
  });

  it('finds what a core breaks that answers nothing for a time', async () => {
    const stall = ['--set', 'faults.stallCore.core=1', '--set', 'faults.stallCore.cycles=3M'];
    const found = await physmem(['explore', 'races', ...stall, '--runs', '4']);
    expect([found.code, found.out]).toEqual([1, expect.stringContaining('FAILED, late: shootdown')]);
  });

  it('finds nothing in any order when no switch is on', async () => {
    const found = await physmem(['explore', 'races', '--runs', '12']);
    expect([found.code, found.out]).toEqual([0, expect.stringContaining('nothing broke in 12 runs')]);
  });
});
