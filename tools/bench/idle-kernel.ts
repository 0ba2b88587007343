/** The kernel of benches that measure the memory server alone. */
import type { ShootdownBatch } from '../../src/abi/server.ts';
import type { KernelPort } from '../../src/physmem/port.ts';

/** A kernel that does nothing and never needs another core. */
export const idleKernel: KernelPort = {
  now: () => 0,
  charge: () => {},
  zeroFrames: () => {},
  copyFrames: () => {},
  poisonFrames: () => {},
  isPoisoned: () => true,
  threadLives: () => true,
  taskLives: () => true,
  installSpace: () => {},
  stopTask: () => true,
  removeSpace: () => {},
  hasSpace: () => true,
  hasTable: () => true,
  installTable: () => {},
  removeTable: () => 0,
  mapPages: () => {},
  mapLarge: () => {},
  unmapPages: () => 0,
  unmapLarge: () => 0,
  protectPages: () => {},
  protectLarge: () => {},
  widenPages: () => {},
  widenLarge: () => {},
  newBatch: () => ({ pageCount: 0 }) as ShootdownBatch,
  needsRemote: () => false,
  flushOwn: () => 0,
  listPages: () => {},
  flushLocal: () => {},
  wake: () => {},
  spawn: () => {},
  revokeObject: () => {},
  emit: () => {},
};
