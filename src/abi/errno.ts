/** Error numbers that guests see, with Linux's values, and the closed list of reasons that a refusal carries. */
export enum Errno {
  OK = 0,
  EPERM = 1,
  ENOENT = 2,
  ESRCH = 3,
  EBADF = 9,
  EAGAIN = 11,
  ENOMEM = 12,
  EFAULT = 14,
  EBUSY = 16,
  EEXIST = 17,
  EINVAL = 22,
  ENOSPC = 28,
  ENOSYS = 38,
  EMSGSIZE = 90,
  ETIMEDOUT = 110,
  ECANCELED = 125,
}

export interface ErrnoDef {
  readonly value: number;
  readonly name: string;
  readonly meaning: string;
}

export const ERRNOS: readonly ErrnoDef[] = [
  { value: 0, name: 'OK', meaning: 'done' },
  { value: 1, name: 'EPERM', meaning: 'the capability lacks a right that this needs' },
  { value: 2, name: 'ENOENT', meaning: 'nothing is there (a hole in the container, no such thing)' },
  { value: 3, name: 'ESRCH', meaning: 'the task or thread is gone' },
  { value: 9, name: 'EBADF', meaning: 'the slot is empty, stale or names an object of another type' },
  { value: 11, name: 'EAGAIN', meaning: 'not now; the same call may go through later' },
  { value: 12, name: 'ENOMEM', meaning: 'the control has no credit, or a quota is used up' },
  { value: 14, name: 'EFAULT', meaning: 'the address is not one that the caller may use' },
  { value: 16, name: 'EBUSY', meaning: 'locked, pinned or dying' },
  { value: 17, name: 'EEXIST', meaning: 'the name is occupied' },
  { value: 22, name: 'EINVAL', meaning: 'an argument is out of range or not page aligned' },
  { value: 28, name: 'ENOSPC', meaning: 'the capability table is full' },
  { value: 38, name: 'ENOSYS', meaning: 'there is no such operation on this object' },
  { value: 90, name: 'EMSGSIZE', meaning: 'too many or too few words or capabilities in the message' },
  { value: 110, name: 'ETIMEDOUT', meaning: 'the time-out of the call expired' },
  { value: 125, name: 'ECANCELED', meaning: 'the peer or the object died while the call waited' },
];

/**
 * Why a request was refused: word 1 of an error reply. Words 2 and 3 carry the argument's index (from 1, 0 when
 * no argument is to blame) and the limit that was hit, so that `pm_strerror` can print a whole sentence.
 */
export enum Reason {
  NONE = 0,
  UNALIGNED = 1,
  ZERO_SIZE = 2,
  WRAPS = 3,
  OUT_OF_RANGE = 4,
  UNKNOWN_FLAG = 5,
  MISSING_RIGHT = 6,
  DEAD_OBJECT = 7,
  WRONG_TYPE = 8,
  OCCUPIED = 9,
  HOLE = 10,
  NO_CREDIT = 11,
  NO_BLOCK = 12,
  NO_TABLE_CREDIT = 13,
  DYING = 14,
  LOCKED = 15,
  PINNED = 16,
  IS_ROOT = 17,
  NOT_SPONSORED = 18,
  BAD_COUNT = 19,
  UNKNOWN_OP = 20,
  QUOTA = 21,
  NO_DMA = 22,
  NOT_HOLDER = 23,
  CORE_SILENT = 24,
  OVERLAPS = 32,
  NO_ROOM = 40,
  SOFT_PAGE = 41,
  EXTRA_PAGE = 42,
  PINS_AT = 48,
  PINS_IN_WAY = 49,
}

export interface ReasonDef {
  readonly value: number;
  readonly name: string;
  /**
   * printf-like sentence; %a is the argument index, %l the limit, %r the rights whose bits the limit has. Words 4 to 6 of
   * the reply, where there are any, are %c (cycles), %m and %n (physical addresses).
   */
  readonly sentence: string;
}

export const REASONS: readonly ReasonDef[] = [
  { value: 0, name: 'NONE', sentence: 'no further detail' },
  { value: 1, name: 'UNALIGNED', sentence: 'argument %a is not a multiple of %l bytes' },
  { value: 2, name: 'ZERO_SIZE', sentence: 'argument %a, a size, is zero' },
  { value: 3, name: 'WRAPS', sentence: 'the range that begins at argument %a ends above 4 GiB' },
  { value: 4, name: 'OUT_OF_RANGE', sentence: 'argument %a is out of range; the limit is %l' },
  { value: 5, name: 'UNKNOWN_FLAG', sentence: 'argument %a has unknown flag bits; known are %l' },
  { value: 6, name: 'MISSING_RIGHT', sentence: 'the capability lacks %r' },
  { value: 7, name: 'DEAD_OBJECT', sentence: 'the object behind argument %a is gone' },
  { value: 8, name: 'WRONG_TYPE', sentence: 'capability argument %a names an object of another type' },
  { value: 9, name: 'OCCUPIED', sentence: 'the page at byte %l is occupied' },
  { value: 10, name: 'HOLE', sentence: 'the page at byte %l is empty' },
  { value: 11, name: 'NO_CREDIT', sentence: 'the control has %l free frames' },
  { value: 12, name: 'NO_BLOCK', sentence: 'no free block of order %l' },
  {
    value: 13,
    name: 'NO_TABLE_CREDIT',
    sentence: 'no credit for a page table; the control has %l free frames',
  },
  { value: 14, name: 'DYING', sentence: 'the object is being destroyed' },
  { value: 15, name: 'LOCKED', sentence: 'the container is locked for %l more cycles' },
  { value: 16, name: 'PINNED', sentence: 'the page at byte %l is pinned' },
  { value: 17, name: 'IS_ROOT', sentence: 'the root control cannot be destroyed' },
  { value: 18, name: 'NOT_SPONSORED', sentence: 'no control pays for the page tables of this task' },
  {
    value: 19,
    name: 'BAD_COUNT',
    sentence: 'the message has the wrong number of words or capabilities; %l are wanted',
  },
  { value: 20, name: 'UNKNOWN_OP', sentence: 'operation %l does not exist on this object' },
  { value: 21, name: 'QUOTA', sentence: 'the quota of %l is used up' },
  { value: 22, name: 'NO_DMA', sentence: 'the DMA zone has room for %l more frames' },
  { value: 23, name: 'NOT_HOLDER', sentence: 'the caller does not hold this lock through this capability' },
  {
    value: 24,
    name: 'CORE_SILENT',
    sentence: 'it is done, but a core is silent and may still use what was taken away',
  },
  {
    value: 32,
    name: 'OVERLAPS',
    sentence: 'the range at argument %a meets another one of the list at byte %l',
  },
  {
    value: 40,
    name: 'NO_ROOM',
    sentence: 'others need their memory; there is room for %l more extra frames',
  },
  { value: 41, name: 'SOFT_PAGE', sentence: 'the page at byte %l was given back softly; recover it first' },
  { value: 42, name: 'EXTRA_PAGE', sentence: 'the page at byte %l is extra memory, which cannot be pinned' },
  {
    value: 48,
    name: 'PINS_AT',
    sentence: 'pinned frames in %m-%n: %l, first for %c cycles',
  },
  {
    value: 49,
    name: 'PINS_IN_WAY',
    sentence: 'pinned frames in the way: %l, first for %c cycles',
  },
];
