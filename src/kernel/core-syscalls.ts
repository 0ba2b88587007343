/** System calls about the core's time and the console: yield, clock, sleep, console_write. */
import { R } from '../../emu/arch/core-layout.ts';
import { Errno } from '../abi/errno.ts';
import { AREA_WORDS, MESSAGE_WORDS_MAX } from '../abi/message.ts';
import { coreOf, type KernelContext, timeOf } from './context.ts';
import { block, setDeadline } from './scheduler.ts';
import { Reschedule, type Thread, ThreadState } from './state.ts';

export function yieldCore(k: KernelContext, thread: Thread): Errno {
  coreOf(k, thread.core).reschedule = Reschedule.ROTATE;
  return Errno.OK;
}

export function clock(k: KernelContext, thread: Thread, r: Int32Array): Errno {
  const now = timeOf(k, thread.core);
  r[R.EBX] = now | 0;
  r[R.EDX] = Math.floor(now / 2 ** 32);
  return Errno.OK;
}

export function sleep(k: KernelContext, thread: Thread, r: Int32Array): Errno | null {
  const cycles = r[R.EBX]! >>> 0;
  if (cycles === 0) return Errno.OK;
  block(k, thread, ThreadState.SLEEP);
  setDeadline(k, thread, timeOf(k, thread.core) + cycles);
  return null;
}

export function consoleWrite(k: KernelContext, thread: Thread, r: Int32Array): Errno {
  const length = r[R.EBX]! >>> 0;
  if (length > MESSAGE_WORDS_MAX * 4) return Errno.EMSGSIZE;
  const bytes = new Uint8Array(length);
  k.machine.readBytes(thread.areaPa + AREA_WORDS * 4, bytes);
  k.machine.consoleWrite(bytes);
  return Errno.OK;
}
