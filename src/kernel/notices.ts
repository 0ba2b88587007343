/**
 * Messages of the memory server that never wait (physmem.md §8, LABEL_RETURN_FRAMES): a thread that receives from anyone
 * gets one at once, another one when it receives next. Until then what is asked through one badge adds up, so a thread
 * that does not listen costs the kernel a bounded amount. Nobody waits for a reply.
 */
import { KernelEv } from '../abi/events.ts';
import { LABEL_RETURN_FRAMES, makeTag, RETURN_FRAMES_WORDS } from '../abi/message.ts';
import { emit, type KernelContext } from './context.ts';
import { finishReceive, hideCaps } from './message.ts';
import { makeReady } from './scheduler.ts';
import { type Notice, type Thread, ThreadState } from './state.ts';

/** Badges for which a thread can be asked at a time; what is asked through others is lost, and taken by force. */
export const NOTICES_MAX = 16;

export function threadLives(k: KernelContext, number: number): boolean {
  const thread = k.state.threads.get(number);
  return (
    thread !== undefined && thread.state !== ThreadState.DOOMED && thread.state !== ThreadState.CONDEMNED
  );
}

/** Asks a thread to give frames back. Returns whether it lives and will be told when it receives. */
export function notify(k: KernelContext, number: number, notice: Notice): boolean {
  if (!threadLives(k, number)) return false;
  const thread = k.state.threads.get(number)!;
  const told = thread.notices.find(({ badge }) => badge === notice.badge);
  if (told === undefined && thread.notices.length === NOTICES_MAX) return false;
  if (told === undefined) thread.notices.push({ ...notice });
  else {
    told.frames = Math.min(told.frames + notice.frames, 0xffffffff);
    told.cycles = notice.cycles;
  }
  if (thread.state !== ThreadState.RECEIVE) return true;
  tellNotice(k, thread);
  makeReady(k, thread, 'back');
  return true;
}

/** Gives a thread that receives from anyone its oldest notice; there is one. */
export function tellNotice(k: KernelContext, thread: Thread): void {
  const { badge, frames, cycles } = thread.notices.shift()!;
  hideCaps(k, thread);
  const tag = makeTag(LABEL_RETURN_FRAMES, RETURN_FRAMES_WORDS, 0);
  finishReceive(k, thread, badge, tag, frames, cycles);
  emit(k, KernelEv.Notice, thread.task, thread.number, LABEL_RETURN_FRAMES, frames);
}
