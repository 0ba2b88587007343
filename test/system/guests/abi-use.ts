/**
 * What the shipped guests use of the ABI: every request of the memory server and every system call of a run is looked at
 * and noted in the words of the tables (src/abi). "Used" is a success; an error is noted where it comes from.
 */
import { readFileSync } from 'node:fs';
import { vi } from 'vitest';
import { Errno, Reason } from '../../../src/abi/errno.ts';
import { KernelEv } from '../../../src/abi/events.ts';
import {
  AllocFlag,
  CAP_TYPE_NAMES,
  CapType,
  CopyFlag,
  MapFlag,
  PinFlag,
  ReleaseFlag,
  RIGHTS,
} from '../../../src/abi/rights.ts';
import { RPCS, type RpcDef } from '../../../src/abi/rpcs.ts';
import type { CapRef, Operation, RpcReply, RpcRequest } from '../../../src/abi/server.ts';
import { SYSCALLS, Sys, type SyscallDef } from '../../../src/abi/syscalls.ts';
import { Physmem } from '../../../src/physmem/physmem.ts';
import { builtInScenario } from '../../../src/scenario/built-in.ts';
import { scenarioConfig } from '../../../src/scenario-system.ts';
import { System } from '../../../src/system.ts';

/** Enums of the flag words, by the name that the tables use. */
export const FLAG_ENUMS: { readonly [name: string]: Readonly<Record<string, string | number>> } = {
  AllocFlag,
  MapFlag,
  CopyFlag,
  PinFlag,
  ReleaseFlag,
};
const ACCESS_ARGUMENT = 'access';

export class AbiUse {
  /** `container_map`, `sys_clock`: went through. */
  readonly operations = new Set<string>();
  /** `container_copy SQUASH`: went through with the flag. */
  readonly flags = new Set<string>();
  /** `container.LOCK`: something that needs it went through. */
  readonly rights = new Set<string>();
  /** `container.LOCK`: somebody was refused for want of it. */
  readonly missed = new Set<string>();
  /** `container_map ENOENT`, `sys_ipc ETIMEDOUT`. */
  readonly errors = new Set<string>();
  /** Names of reasons. */
  readonly reasons = new Set<string>();

  request(request: RpcRequest, reply: RpcReply): void {
    const def = RPCS.find(({ op }) => op === request.op);
    if (def === undefined) return;
    if (reply.errno === Errno.OK) this.#success(def, request);
    else this.#refusal(def, request, reply);
  }

  #success(def: RpcDef, { target, words, caps }: RpcRequest): void {
    this.operations.add(def.name);
    for (const name of def.rights) this.rights.add(`${kindOf(target)}.${name}`);
    for (const [index, arg] of def.args.entries()) {
      const flags = FLAG_ENUMS[/\b([A-Z][a-z]+Flag)\b/.exec(arg.meaning)?.[1] ?? ''] ?? {};
      for (const [name, bit] of Object.entries(flags)) {
        if (typeof bit === 'number' && (words[index]! & bit) !== 0) this.flags.add(`${def.name} ${name}`);
      }
      if (arg.name === ACCESS_ARGUMENT) this.#noteRights(target, words[index]!);
    }
    for (const [index, arg] of def.caps.entries()) {
      const name = /needs ([A-Z_]+)/.exec(arg.meaning)?.[1];
      if (name !== undefined && caps[index] !== undefined) this.rights.add(`${kindOf(caps[index])}.${name}`);
    }
  }

  #noteRights(cap: CapRef, bits: number): void {
    for (const { type, bit, name } of RIGHTS) {
      if (CAP_TYPE_NAMES[type] === kindOf(cap) && (bits & bit) !== 0)
        this.rights.add(`${kindOf(cap)}.${name}`);
    }
  }

  #refusal(def: RpcDef, { target, caps, wordCount }: RpcRequest, { errno, words }: RpcReply): void {
    const [, reason, argument, limit] = words as [number, number, number, number];
    this.errors.add(`${def.name} ${Errno[errno]}`);
    this.reasons.add(Reason[reason]!);
    if (reason !== Reason.MISSING_RIGHT) return;
    const cap = argument === 0 ? target : caps[argument - wordCount - 1]!;
    for (const { type, bit, name } of RIGHTS) {
      if (CAP_TYPE_NAMES[type] === kindOf(cap) && (limit & bit) !== 0)
        this.missed.add(`${kindOf(cap)}.${name}`);
    }
  }

  syscall(number: number, errno: number): void {
    const def = SYSCALLS.find((call) => call.number === number);
    if (def === undefined) return;
    const name = `sys_${def.name}`;
    if (errno === Errno.OK) this.operations.add(name);
    else this.errors.add(`${name} ${Errno[errno]}`);
    for (const right of rightsOf(def)) {
      if (errno === Errno.OK) this.rights.add(right);
      if (errno === Errno.EPERM) this.missed.add(right);
    }
  }

  /** Calls that cannot fail do not say that they have ended; some never end. */
  entered(number: number): void {
    const def = SYSCALLS.find((call) => call.number === number);
    if (def?.errors.length === 0) this.operations.add(`sys_${def.name}`);
  }

  /** Adds what another run used. */
  add(other: AbiUse): void {
    for (const key of ['operations', 'flags', 'rights', 'missed', 'errors', 'reasons'] as const) {
      for (const one of other[key]) this[key].add(one);
    }
  }
}

/** A limited capability has the rights of a container. */
const kindOf = (cap: CapRef): string =>
  CAP_TYPE_NAMES[cap.type === CapType.LIMITED ? CapType.CONTAINER : cap.type]!;

/** `task.MANAGE` for an argument `task` that "needs MANAGE". */
const rightsOf = (def: SyscallDef): string[] =>
  def.number === Sys.IPC
    ? ['thread.SEND']
    : def.args.flatMap(({ meaning }) => {
        const found = /slot of the (task|thread).*needs ([A-Z]+)/.exec(meaning);
        return found === null ? [] : [`${found[1]}.${found[2]}`];
      });

const image = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../../guest/bin/${name}.elf`, import.meta.url)));

/** Runs a shipped scenario and notes what its guests use. */
export function useOf(name: string, maxInstructions: number): AbiUse {
  const use = new AbiUse();
  const serve = Physmem.prototype.request;
  const spy = vi.spyOn(Physmem.prototype, 'request').mockImplementation(function (this: Physmem, request) {
    // The words are valid until the first wait only.
    const copy = { ...request, words: Array.from(request.words) };
    const answer = serve.call(this, request);
    if (!('errno' in answer)) return noted(answer, (reply) => use.request(copy, reply));
    use.request(copy, answer);
    return answer;
  });
  try {
    const system = new System(scenarioConfig(builtInScenario(name), { image }));
    system.trace.listen((event) => {
      if (event.kind === KernelEv.SyscallDone) use.syscall(event.c, event.d);
      else if (event.kind === KernelEv.Syscall) use.entered(event.c);
      else if (event.kind === KernelEv.IpcSend) use.operations.add('sys_ipc');
    });
    system.run({ maxInstructions });
  } finally {
    spy.mockRestore();
  }
  return use;
}

function* noted(operation: Operation, note: (reply: RpcReply) => void): Operation {
  const reply = yield* operation;
  note(reply);
  return reply;
}

/** Names in the tables, in the form in which uses are noted. */
export const TABLE = {
  operations: [...RPCS.map(({ name }) => name), ...SYSCALLS.map(({ name }) => `sys_${name}`)],
  flags: RPCS.flatMap((def) =>
    def.args.flatMap(({ meaning }) => {
      const named = /\b([A-Z][a-z]+Flag)(?:\.([A-Z_]+))?/.exec(meaning);
      const all = Object.keys(FLAG_ENUMS[named?.[1] ?? ''] ?? {}).filter((key) => !/^\d/.test(key));
      return all
        .filter((flag) => named?.[2] === undefined || named[2] === flag)
        .map((flag) => `${def.name} ${flag}`);
    }),
  ),
  rights: RIGHTS.map(({ type, name }) => `${CAP_TYPE_NAMES[type]}.${name}`),
  errors: [
    ...RPCS.flatMap(({ name, errors }) => errors.map((error) => `${name} ${error}`)),
    ...SYSCALLS.flatMap(({ name, errors }) => errors.map((error) => `sys_${name} ${error}`)),
  ],
  reasons: Object.keys(Reason).filter((key) => !/^\d/.test(key) && key !== 'NONE'),
};
