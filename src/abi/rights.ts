/** Rights and capability types (physmem.md §2). Rights only shrink: a copy carries `old & mask`. */
export enum CapType {
  NONE = 0,
  /** Kernel: a task; rights TASK_*. */
  TASK = 1,
  /** Kernel: a thread as the destination of messages; rights THREAD_*. */
  THREAD = 2,
  /** physmem: the server itself (operations on the caller's own address space). */
  PHYSMEM = 3,
  CONTROL = 4,
  CONTAINER = 5,
  /** physmem: a limited capability made by container_share. */
  LIMITED = 6,
  PIN = 7,
}

export const CAP_TYPE_NAMES: readonly string[] = [
  'none',
  'task',
  'thread',
  'physmem',
  'control',
  'container',
  'limited',
  'pin',
];
/** Capability types whose messages go to the physmem server. */
export const isServerType = (type: number): boolean => type >= CapType.PHYSMEM && type <= CapType.PIN;

export enum TaskRight {
  /** Create and control threads in it, grant it capabilities. */
  MANAGE = 1 << 0,
  /** Have physmem install maps in its address space. */
  MAP = 1 << 1,
  DESTROY = 1 << 2,
}

export enum ThreadRight {
  SEND = 1 << 0,
  /** Suspend, resume, change pager, affinity, priority. */
  CONTROL = 1 << 1,
}

export enum ControlRight {
  SPLIT = 1 << 0,
  CREATE = 1 << 1,
  DESTROY = 1 << 2,
  QUERY = 1 << 3,
}

export enum ContainerRight {
  READ = 1 << 0,
  WRITE = 1 << 1,
  EXECUTE = 1 << 2,
  ALLOCATE = 1 << 3,
  DEALLOCATE = 1 << 4,
  COPY_OUT = 1 << 5,
  COPY_IN = 1 << 6,
  LOCK = 1 << 7,
  PIN = 1 << 8,
  SHARE = 1 << 9,
  DESTROY = 1 << 10,
  QUERY = 1 << 11,
}

export const ALL_RIGHTS = 0xffff;
export const ALL_CONTROL_RIGHTS = 0xf;
export const ALL_CONTAINER_RIGHTS = 0xfff;
/** What the classic limited capability of the seed may carry at most: nothing that allocates, frees or destroys. */
export const LIMITED_RIGHTS_MAX =
  1 | 2 | 4 | (1 << 5) | (1 << 6) | (1 << 7) | (1 << 8) | (1 << 9) | (1 << 11);

export interface RightDef {
  readonly type: number;
  readonly bit: number;
  readonly name: string;
  readonly letter: string;
}

export const RIGHTS: readonly RightDef[] = [
  { type: CapType.TASK, bit: 1, name: 'MANAGE', letter: 'm' },
  { type: CapType.TASK, bit: 2, name: 'MAP', letter: 'a' },
  { type: CapType.TASK, bit: 4, name: 'DESTROY', letter: 'd' },
  { type: CapType.THREAD, bit: 1, name: 'SEND', letter: 's' },
  { type: CapType.THREAD, bit: 2, name: 'CONTROL', letter: 'c' },
  { type: CapType.CONTROL, bit: 1, name: 'SPLIT', letter: 's' },
  { type: CapType.CONTROL, bit: 2, name: 'CREATE', letter: 'c' },
  { type: CapType.CONTROL, bit: 4, name: 'DESTROY', letter: 'd' },
  { type: CapType.CONTROL, bit: 8, name: 'QUERY', letter: 'q' },
  { type: CapType.CONTAINER, bit: 1, name: 'READ', letter: 'r' },
  { type: CapType.CONTAINER, bit: 2, name: 'WRITE', letter: 'w' },
  { type: CapType.CONTAINER, bit: 4, name: 'EXECUTE', letter: 'x' },
  { type: CapType.CONTAINER, bit: 8, name: 'ALLOCATE', letter: 'a' },
  { type: CapType.CONTAINER, bit: 16, name: 'DEALLOCATE', letter: 'd' },
  { type: CapType.CONTAINER, bit: 32, name: 'COPY_OUT', letter: 'o' },
  { type: CapType.CONTAINER, bit: 64, name: 'COPY_IN', letter: 'i' },
  { type: CapType.CONTAINER, bit: 128, name: 'LOCK', letter: 'l' },
  { type: CapType.CONTAINER, bit: 256, name: 'PIN', letter: 'p' },
  { type: CapType.CONTAINER, bit: 512, name: 'SHARE', letter: 's' },
  { type: CapType.CONTAINER, bit: 1024, name: 'DESTROY', letter: 'D' },
  { type: CapType.CONTAINER, bit: 2048, name: 'QUERY', letter: 'q' },
];

/** Flags of the operations. */
export enum AllocFlag {
  ALL_OR_NONE = 1,
  SQUASH = 2,
  DMA = 4,
  EXTRA = 8,
  CONTIGUOUS = 16,
}
export enum MapFlag {
  NO_BREAK = 1,
}
export enum CopyFlag {
  SHARED = 1,
  MOVE = 2,
  SQUASH = 4,
  ALL_OR_NONE = 8,
}
export enum ReleaseFlag {
  /** Gives the memory back, but keeps its contents until it is reused. */
  SOFT = 1,
}
export enum PinFlag {
  /** Moves the memory below the limit of the DMA zone first. */
  DMA = 1,
}
/** Access bits of a map request: the container rights READ, WRITE, EXECUTE. */
export const ACCESS_MASK = 7;
