/**
 * Every operation, flag, right, errno and reason of the ABI's tables is used for a purpose by at least one shipped guest:
 * computed from runs of the scenarios, not from their sources. What the hostile guests hammer on does not count as use.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { BUILT_IN_NAMES } from '../../../src/scenario/built-in.ts';
import { AbiUse, TABLE, useOf } from './abi-use.ts';

const HOSTILE = new Set(['forge', 'hostile']);
/** Enough for what a scenario has to show; the long ones repeat themselves. */
const INSTRUCTIONS_MAX = 30_000_000;

/** What no shipped guest can or should provoke, and why; the tests that do are named. */
const JUSTIFIED: { readonly [name: string]: string } = {
  'unpin EBADF':
    'The slot of a pin is emptied when the pin ends, so the kernel refuses first; pin.test.ts asks the server itself.',
  'sys_task_create EAGAIN':
    'The bound on tasks is the machine owner’s, far above what a guest can sponsor here.',
  'sys_irq_bind EBUSY': 'Needs two drivers that want one line; interrupt-lines.test.ts has them.',
  'sys_ioport_bind ENOMEM': 'Needs five tasks with ports at a time; interrupt-lines.test.ts has them.',
  CORE_SILENT:
    'Only a broken machine has silent cores: the fault switches make them (fault-switches.test.ts).',
  PINS_IN_WAY: 'What a task that is no driver is told instead of PINS_AT, which a guest meets.',
};

const all = new AbiUse();
const purposeful = new AbiUse();

beforeAll(() => {
  for (const name of BUILT_IN_NAMES) {
    const use = useOf(name, INSTRUCTIONS_MAX);
    all.add(use);
    if (!HOSTILE.has(name)) purposeful.add(use);
  }
}, 240_000);

const unused = (table: readonly string[], used: ReadonlySet<string>): string[] =>
  table.filter((name) => !used.has(name) && JUSTIFIED[name] === undefined);

describe('the shipped guests', () => {
  it('use every operation of the memory server and every system call', () => {
    expect(unused(TABLE.operations, purposeful.operations)).toEqual([]);
  });

  it('use every flag of every operation', () => {
    expect(TABLE.flags).toContain('container_copy_list MOVE');
    expect(unused(TABLE.flags, purposeful.flags)).toEqual([]);
  });

  it('use every right, and are refused for want of every right', () => {
    expect(unused(TABLE.rights, purposeful.rights)).toEqual([]);
    expect(unused(TABLE.rights, purposeful.missed)).toEqual([]);
  });

  it('meet every error that the tables promise of a call', () => {
    expect(unused(TABLE.errors, all.errors)).toEqual([]);
  });

  it('are told every reason', () => {
    expect(unused(TABLE.reasons, all.reasons)).toEqual([]);
  });

  it('meet no error that the tables do not promise, but for requests that no object takes', () => {
    const undeclared = [...all.errors].filter((name) => !TABLE.errors.includes(name));
    const malformed = undeclared.filter((name) => / (ENOSYS|EMSGSIZE)$/.test(name));
    expect(undeclared.filter((name) => !malformed.includes(name))).toEqual([]);
  });
});
