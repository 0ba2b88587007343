/**
 * What the kernel needs of the memory server: it hands over requests, deaths and boot faults, and drives the
 * operations that come back. The kernel knows no memory policy.
 */
import type { BootFault, CapRef, Operation, RpcReply, RpcRequest } from '../abi/server.ts';

export interface MemoryServer {
  /** Answers at once, or as an operation that the kernel drives. Never throws for any request of a guest. */
  request(request: RpcRequest): RpcReply | Operation;
  /** A thread without pager of the root task faulted: make the page present, or answer with an errno (the thread is killed). */
  bootFault(fault: BootFault): RpcReply | Operation;
  /** The task is dead and runs nowhere: drop its address space and all it holds. */
  taskDied(task: number): Operation<void> | null;
  /** The task's last slot with this server capability (or with these rights of it) is gone. */
  capDropped(task: number, cap: CapRef): Operation<void> | null;
}
