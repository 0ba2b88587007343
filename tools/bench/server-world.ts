/**
 * A memory server by itself for measuring: requests are direct calls, the kernel is one that does nothing, so the
 * numbers are the server's own work.
 */
import { CapType } from '../../src/abi/rights.ts';
import { Op } from '../../src/abi/rpcs.ts';
import type { CapRef, Operation, RpcReply } from '../../src/abi/server.ts';
import { Physmem } from '../../src/physmem/physmem.ts';
import { idleKernel } from './idle-kernel.ts';

export const PAGE = 4096;
export const TASK = 1;
export const PHYSMEM_CAP: CapRef = { type: CapType.PHYSMEM, object: 0, rights: 0xffff };

/** Processor time of this program: what else the host does must not show. Garbage collection does. */
export function processorUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** A request of the root task; `finish` runs an operation to its end. @throws when it is refused */
export function request(
  physmem: Physmem,
  op: Op,
  target: CapRef,
  words: readonly number[],
  caps: readonly CapRef[],
  finish: (operation: Operation) => RpcReply,
): RpcReply {
  const wordCount = words.length;
  const answer = physmem.request({
    op,
    task: TASK,
    thread: 1,
    target,
    words,
    wordCount,
    caps,
    driver: false,
  });
  const reply = 'errno' in answer ? answer : finish(answer);
  if (reply.errno !== 0) throw new Error(`${Op[op]}: errno ${reply.errno} ${reply.words.join(' ')}`);
  return reply;
}

export class ServerWorld {
  readonly physmem: Physmem;
  /** The longest that an operation ran between two waits since it was set to 0, in microseconds of processor time. */
  longestSliceUs = 0;

  constructor(frames: number) {
    this.physmem = new Physmem(idleKernel, {
      memory: [{ frame: 0, count: frames, use: 'free' }],
      modules: [],
      dmaZoneEnd: 4096,
      rootTask: TASK,
      poison: 'off',
    });
    this.physmem.bootRootSpace();
  }

  /** A request to its end; it must succeed. */
  call(op: Op, target: CapRef, words: readonly number[], caps: readonly CapRef[] = []): RpcReply {
    return request(this.physmem, op, target, words, caps, (operation) => this.#finish(operation));
  }

  #finish(operation: Operation): RpcReply {
    for (;;) {
      const before = processorUs();
      const step = operation.next('done');
      this.longestSliceUs = Math.max(this.longestSliceUs, processorUs() - before);
      if (step.done === true) return step.value;
    }
  }

  container(control: CapRef = this.physmem.rootControl): CapRef {
    return this.call(Op.CONTAINER_CREATE, control, []).caps[0]!;
  }
}
