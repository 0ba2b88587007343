/**
 * Messages, slot words and the per-thread message area.
 *
 * Slot word:  bits 0..11 index in the caller's capability table, bits 12..31 generation of that entry.
 *             Index 0 is never valid. Word 0xffffffff as a destination is REPLY_SLOT.
 *
 * Tag:        bits 0..5 words (0..60), bits 8..10 capability items (0..4), bits 16..31 label.
 *
 * Message area (128 words; its linear address is at %gs:0; eight areas make the task's message frame):
 *
 *   word   0        own linear address             word  1   thread number
 *   word   2        task number                    word  3   core on which the thread was dispatched last
 *   words  4..  7   free for the program           words 8.. 67   message words 0..59
 *   words 72.. 79   capability items to send: slot word, then rights mask | CAP_MOVE, 4 times
 *   words 80.. 83   slot words received with the last message (0 = none)
 *   words 84..127   free for the program
 */
export const SYSCALL_VECTOR = 0x30;
export const SLOT_INDEX_BITS = 12;
export const SLOT_INDEX_MASK = 0xfff;
export const SLOT_COUNT = 1 << SLOT_INDEX_BITS;
export const REPLY_SLOT = 0xffffffff;
/** Slots that every task has from birth; generation 0, so the word is the index. */
export const SLOT_SELF_TASK = 1;
export const SLOT_PHYSMEM = 2;
/** First slot that the starter fills; in the root task: its control and its boot container. */
export const SLOT_FIRST_GRANTED = 3;
export const SLOT_ROOT_CONTROL = 3;
export const SLOT_BOOT_CONTAINER = 4;

export const MESSAGE_WORDS_MAX = 60;
export const MESSAGE_CAPS_MAX = 4;
export const MESSAGE_AREA_BYTES = 512;
export const THREADS_PER_TASK = 8;
export const AREA_SELF = 0;
export const AREA_THREAD = 1;
export const AREA_TASK = 2;
export const AREA_CORE = 3;
export const AREA_WORDS = 8;
export const AREA_SEND_CAPS = 72;
export const AREA_RECEIVED_CAPS = 80;
/** In the rights word of an item: the sender's slot is emptied. */
export const CAP_MOVE = 1 << 31;

/** Linear address map of every task. Below USER_TOP is the task's; above is the kernel's window. */
export const USER_BOTTOM = 0x1000;
export const USER_TOP = 0xffc00000;
/** Supervisor-only page with the GDTs and TSSs. */
export const KERNEL_PAGE_VA = 0xffc00000;
/** The task's message frame, user read-write. */
export const MESSAGE_FRAME_VA = 0xffc01000;

/** Receive specifier (ECX of SYS_ipc). */
export enum Receive {
  NONE = 0,
  ANY = 1,
  REPLY = 2,
}
export const TIMEOUT_NEVER = 0xffffffff;

/** Labels of messages that the kernel sends to pagers and drivers. */
export const LABEL_PAGE_FAULT = 0xfffe;
export const LABEL_EXCEPTION = 0xfffd;
export const LABEL_INTERRUPT = 0xfffc;
/** Words of LABEL_INTERRUPT: line, interrupts since the last message about it. Nobody waits for a reply. */
export const INTERRUPT_WORDS = 2;
/** From the memory server, one-way: words are frames to give back, and cycles until they are taken by force. */
export const LABEL_RETURN_FRAMES = 0xfffb;
export const RETURN_FRAMES_WORDS = 2;
/** Words of LABEL_PAGE_FAULT: address, EIP, error code, thread number, task number. */
export const PAGE_FAULT_WORDS = 5;
/** Words of LABEL_EXCEPTION: vector, EIP, error code, thread number, task number. */
export const EXCEPTION_WORDS = 5;
/** Label of a pager's reply: 0 resumes the thread at the same instruction, anything else kills the thread. */
export const FAULT_RESUME = 0;

export const makeTag = (label: number, words: number, caps: number): number =>
  ((label << 16) | (caps << 8) | words) >>> 0;
export const tagLabel = (tag: number): number => tag >>> 16;
export const tagWords = (tag: number): number => tag & 0x3f;
export const tagCaps = (tag: number): number => (tag >>> 8) & 7;
export const slotWord = (index: number, generation: number): number =>
  ((generation << SLOT_INDEX_BITS) | index) >>> 0;
export const slotIndex = (word: number): number => word & SLOT_INDEX_MASK;
export const slotGeneration = (word: number): number => word >>> SLOT_INDEX_BITS;
