import { describe, expect, it } from 'vitest';
import { formatSchedule, parseSchedule, type ScheduleFile } from '../../../src/explore/schedule-file.ts';
import { HostError } from '../../../src/scenario/host-error.ts';

const file: ScheduleFile = {
  scenario: 'stale',
  changes: [
    { path: 'faults.dontWaitForAcks', value: 'on' },
    { path: 'root.args', value: ['a b', '='] },
  ],
  holds: [
    { core: 0, at: 147, cycles: 5000 },
    { core: 1, at: 1234, cycles: 1 },
  ],
};

describe('a schedule file', () => {
  it('reads back as what was written', () => {
    expect(parseSchedule(formatSchedule(file), 'x')).toEqual(file);
  });

  it('gives numbers as text, as the command line does', () => {
    const text = formatSchedule({ ...file, changes: [{ path: 'machine.cores', value: 4 }] });
    expect(parseSchedule(text, 'x').changes).toEqual([{ path: 'machine.cores', value: '4' }]);
  });

  it('may have comments and empty lines', () => {
    const text =
      '# found on Sunday\n\nphysmem schedule 1\n  scenario stale  \n# wide\nhold core 1 at 2 for 3\n';
    expect(parseSchedule(text, 'x')).toEqual({
      scenario: 'stale',
      changes: [],
      holds: [{ core: 1, at: 2, cycles: 3 }],
    });
  });

  it.each([
    ['', "x: a schedule begins with 'physmem schedule 1', and the file is empty."],
    ['hold core 1 at 2 for 3', "x: line 1: a schedule begins with 'physmem schedule 1'"],
    ['physmem schedule 1', "the line 'scenario NAME' is missing"],
    ['physmem schedule 1\nscenario s\nhold core one at 2 for 3', 'x: line 3: a line must be'],
    ['physmem schedule 1\nscenario s\nhold core 1 at 99999999999999999999 for 3', 'x: line 3'],
    ['physmem schedule 1\nscenario s\nset seed', 'x: line 3: set must be followed by KEY=VALUE'],
    ['physmem schedule 1\nscenario s\nset root.args=["a', 'x: line 3: set must be followed by KEY=VALUE'],
    [`physmem schedule 1\nscenario s\n${'hold core 1 at 2 for 3\n'.repeat(1001)}`, 'more than 1000 holds'],
  ])('of nonsense is refused with its line: %#', (text, part) => {
    const read = (): ScheduleFile => parseSchedule(text, 'x');
    expect(read).toThrow(HostError);
    expect(read).toThrow(part);
  });
});
