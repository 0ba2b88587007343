/** The files made from src/abi are up to date, and the rules that make C names of the data hold for all of it. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERRNOS, Errno, REASONS, Reason } from '../../../src/abi/errno.ts';
import { Op, RPCS } from '../../../src/abi/rpcs.ts';
import { SYSCALLS, Sys } from '../../../src/abi/syscalls.ts';
import { constantGroups } from '../../../tools/abi/constants.ts';
import { abiFiles } from '../../../tools/abi/files.ts';
import { isVariadic, rpcFunction } from '../../../tools/abi/names.ts';

const ROOT = new URL('../../../', import.meta.url);
const valuesOf = (members: object): number[] =>
  Object.values(members).filter((value): value is number => typeof value === 'number');

describe('generated files', () => {
  it.each([...abiFiles().keys()])('%s is what tools/build-abi.ts makes of src/abi', (path) => {
    expect(readFileSync(new URL(path, ROOT), 'utf8')).toBe(abiFiles().get(path));
  });
});

describe('the ABI data', () => {
  it('describes every member of its enums exactly once', () => {
    expect(RPCS.map((rpc) => rpc.op).sort()).toEqual(valuesOf(Op).sort());
    expect(SYSCALLS.map((call) => call.number).sort()).toEqual(valuesOf(Sys).sort());
    expect(ERRNOS.map((def) => def.value)).toEqual(valuesOf(Errno));
    expect(REASONS.map((def) => def.value)).toEqual(valuesOf(Reason));
  });

  it('names only errnos that exist', () => {
    const known = new Set(ERRNOS.map((def) => def.name));
    const used = [...RPCS, ...SYSCALLS].flatMap((def) => def.errors);
    expect(used.filter((name) => !known.has(name))).toEqual([]);
  });

  it('has a variadic argument or result only at the end', () => {
    for (const rpc of RPCS) {
      expect(rpc.args.slice(0, -1).some(isVariadic), rpc.name).toBe(false);
      expect(rpc.returns.slice(0, -1).some(isVariadic), rpc.name).toBe(false);
    }
  });

  it('fits the registers: six arguments and four results of a system call at most', () => {
    for (const call of SYSCALLS) {
      expect(call.args.length, call.name).toBeLessThanOrEqual(6);
      expect(call.returns.length, call.name).toBeLessThanOrEqual(4);
    }
  });

  it('gives every operation and every constant a C name of its own', () => {
    const functions = RPCS.map(rpcFunction);
    expect(new Set(functions).size).toBe(functions.length);
    const constants = constantGroups().flatMap((group) => group.constants.map((constant) => constant.name));
    expect(new Set(constants).size).toBe(constants.length);
  });
});
