/**
 * System calls of drivers: task_set_driver, irq_bind, irq_ack, ioport_bind. The right is the task's own: the root task
 * has it when the system is configured so, and gives it to tasks that it controls. Without it everything is EPERM.
 */
import { R } from '../../emu/arch/core-layout.ts';
import { Errno } from '../abi/errno.ts';
import { KernelEv } from '../abi/events.ts';
import { CapType, TaskRight, ThreadRight } from '../abi/rights.ts';
import { IOPORT_COUNT, IRQ_COUNT, IrqTrigger } from '../abi/syscalls.ts';
import { lookUp } from './capability.ts';
import { emit, type KernelContext, taskOf } from './context.ts';
import { acknowledgeLine, bindLine, freeLine, lineOf } from './interrupt-lines.ts';
import { closePorts, hasBitmapFor, openPorts, portsAreTaken } from './io-ports.ts';
import { TaskState, type Thread, ThreadState } from './state.ts';

export function taskSetDriver(k: KernelContext, thread: Thread, r: Int32Array): Errno {
  const own = taskOf(k, thread.task);
  if (own.driver === 0) return Errno.EPERM;
  const slot = lookUp(own.caps, r[R.EBX]! >>> 0);
  if (slot === null || slot.type !== CapType.TASK) return Errno.EBADF;
  if ((slot.rights & TaskRight.MANAGE) === 0) return Errno.EPERM;
  const task = k.state.tasks.get(slot.object);
  if (task?.state !== TaskState.ALIVE) return Errno.ESRCH;
  task.driver = 1;
  emit(k, KernelEv.DriverSet, task.number, own.number, 0, 0);
  return Errno.OK;
}

/** EBUSY: another task has the line. ENOENT: it is to be given back, and the own task does not have it. */
export function irqBind(k: KernelContext, thread: Thread, r: Int32Array): Errno {
  const own = taskOf(k, thread.task);
  const number = r[R.EBX]! >>> 0;
  const word = r[R.ECX]! >>> 0;
  const trigger = r[R.ESI]! >>> 0;
  if (own.driver === 0) return Errno.EPERM;
  if (number >= IRQ_COUNT || trigger > IrqTrigger.LEVEL) return Errno.EINVAL;
  const owner = lineOf(k, number).task;
  if (word === 0) {
    if (owner !== own.number) return Errno.ENOENT;
    freeLine(k, number);
    return Errno.OK;
  }
  const slot = lookUp(own.caps, word);
  if (slot === null || slot.type !== CapType.THREAD) return Errno.EBADF;
  const target = k.state.threads.get(slot.object);
  if (target === undefined || target.state === ThreadState.DOOMED) return Errno.EBADF;
  if ((slot.rights & ThreadRight.CONTROL) === 0 || target.task !== own.number) return Errno.EPERM;
  if (owner !== 0 && owner !== own.number) return Errno.EBUSY;
  bindLine(k, number, target, r[R.EDX]! >>> 0, trigger);
  return Errno.OK;
}

export function irqAck(k: KernelContext, thread: Thread, r: Int32Array): Errno {
  const own = taskOf(k, thread.task);
  const number = r[R.EBX]! >>> 0;
  if (own.driver === 0) return Errno.EPERM;
  if (number >= IRQ_COUNT) return Errno.EINVAL;
  if (lineOf(k, number).task !== own.number) return Errno.ENOENT;
  acknowledgeLine(k, number);
  return Errno.OK;
}

/** EBUSY: another task has one of the ports. ENOMEM: as many tasks as there are bitmaps have ports. */
export function ioportBind(k: KernelContext, thread: Thread, r: Int32Array): Errno {
  const own = taskOf(k, thread.task);
  const first = r[R.EBX]! >>> 0;
  const count = r[R.ECX]! >>> 0;
  const take = r[R.EDX]! >>> 0;
  if (own.driver === 0) return Errno.EPERM;
  if (count === 0 || count > IOPORT_COUNT || first > IOPORT_COUNT - count || take > 1) return Errno.EINVAL;
  if (take === 0) closePorts(k, own, first, count);
  else if (portsAreTaken(k, own, first, count)) return Errno.EBUSY;
  else if (!hasBitmapFor(k, own)) return Errno.ENOMEM;
  else openPorts(k, own, first, count);
  emit(k, KernelEv.IoPortBind, own.number, first, count, take);
  return Errno.OK;
}
