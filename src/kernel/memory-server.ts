/**
 * What the kernel needs of the memory server: it hands over requests, deaths and boot faults, and drives the
 * operations that come back. The kernel knows no memory policy.
 */
import type { BootFault, CapRef, Operation, RpcReply, RpcRequest, ShootdownBatch } from '../abi/server.ts';

export interface MemoryServer {
  /** Answers at once, or as an operation that the kernel drives. Never throws for any request of a guest. */
  request(request: RpcRequest): RpcReply | Operation;
  /** A thread without pager of the root task faulted: make the page present, or answer with an errno (the thread is killed). */
  bootFault(fault: BootFault): RpcReply | Operation;
  /** The task is dead and runs nowhere: drop its address space and all it holds. */
  taskDied(task: number): Operation<void> | null;
  /**
   * The task's last slot with this server capability is gone; or slots are left, but none of them gives these
   * rights any more. `rights` are those that went with this slot: each right is told once.
   */
  capDropped(task: number, cap: CapRef): Operation<void> | null;
  /**
   * Every core that a shootdown with result 'limbo' still waited for has answered after all: what was in limbo
   * for this batch (the same object) may be freed. A server without limbo leaves it out.
   */
  lateAnswer?(batch: ShootdownBatch): Operation<void> | null;
  /**
   * The time of the alarm has come, or some device has become quiet after `deviceHolds` said yes. It may come for
   * nothing. A server that asks for neither leaves it out.
   */
  tick?(): Operation<void> | null;
}
