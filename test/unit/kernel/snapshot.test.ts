import { describe, expect, it } from 'vitest';
import type { PlainData } from '../../../emu/arch/ports.ts';
import { decode, encode } from '../../../emu/plain-data-codec.ts';
import { Receive } from '../../../src/abi/message.ts';
import { Sys } from '../../../src/abi/syscalls.ts';
import { KernelBug } from '../../../src/kernel/bug.ts';
import { CONTROL_SLOT, OK_REPLY, World } from './world.ts';

/** Threads in every state that can be at rest: running, ready, sending, receiving, awaiting a reply, sleeping. */
function busyWorld(): { w: World; server: { slot: number; thread: number } } {
  const w = new World(2);
  const server = w.createThread(0, { core: 1 });
  const sleeper = w.createThread(0, { core: 1 });
  w.createThread(0, { core: 0 });
  const child = w.createTask(0);
  w.createThread(0, { task: child.slot, core: 1 });
  w.syscall(0, Sys.CAP_GRANT, child.slot, server.slot, 1);
  w.syscall(1, Sys.SLEEP, 30_000);
  expect(w.running(1)).toBe(sleeper.thread);
  w.ipc(1, server.slot, Receive.REPLY, { words: [1, 2, 3], timeout: 900_000 });
  w.ipc(1, 3, Receive.REPLY, { words: [4, 5, 6] });
  expect(w.isHalted(1)).toBe(true);
  return { w, server };
}

/** What happens next; the same steps in the original and in the restored world. */
function goOn(w: World): unknown {
  const log: unknown[] = [];
  w.machine.events.length = 0;
  w.fireTimer(1);
  log.push(w.ipc(1, 0, Receive.ANY));
  log.push(w.ipc(1, 0xffffffff, Receive.ANY, { words: [9] }));
  w.fireTimer(0);
  log.push(w.ipc(0, CONTROL_SLOT, Receive.REPLY, { label: 3 }));
  w.syscall(0, Sys.TASK_CREATE);
  w.deliver();
  log.push(w.kernel.describeThreads(), w.kernel.describeCores(), w.kernel.describeTasks());
  log.push(w.machine.events.slice(), w.kernel.counters);
  return log;
}

function copyMachine(from: World, to: World): void {
  to.machine.ram.set(from.machine.ram);
  from.machine.blocks.forEach((block, core) => {
    to.machine.blocks[core]!.set(block);
    to.machine.timers[core] = from.machine.timers[core]!;
    to.machine.timerVectors[core] = from.machine.timerVectors[core]!;
    to.machine.cr3[core] = from.machine.cr3[core]!;
  });
  to.machine.ipis.push(...from.machine.ipis);
}

describe('a snapshot', () => {
  it('is plain data that goes through bytes, and a run continued from it is the same run', () => {
    const { w } = busyWorld();
    const bytes = encode(w.kernel.save());
    const restored = new World(2);
    copyMachine(w, restored);
    restored.kernel.load(decode(bytes) as PlainData);
    expect(encode(restored.kernel.save())).toEqual(bytes);
    expect(goOn(restored)).toEqual(goOn(w));
    expect(encode(restored.kernel.save())).toEqual(encode(w.kernel.save()));
  });

  it('shares nothing with the kernel that goes on', () => {
    const { w } = busyWorld();
    const saved = w.kernel.save();
    const bytes = encode(saved);
    goOn(w);
    expect(encode(saved)).toEqual(bytes);
  });

  it('is not taken while an operation is in flight', () => {
    const w = new World(1);
    w.server.answer = function* () {
      yield { kind: 'pause' };
      return OK_REPLY;
    };
    expect(w.kernel.isQuiescent()).toBe(true);
    w.ipc(0, CONTROL_SLOT, Receive.REPLY);
    expect(w.kernel.isQuiescent()).toBe(false);
    expect(() => w.kernel.save()).toThrow(KernelBug);
    w.fireTimer(0);
    expect(w.kernel.isQuiescent()).toBe(true);
  });
});
