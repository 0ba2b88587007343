/** Counts of what the server did; each equals its value recomputed from the trace (I37). Plain numbers. */
export interface Counters {
  requests: number;
  refusals: number;
  binds: number;
  boundFrames: number;
  cowBreaks: number;
  copiedFrames: number;
  zeroedFrames: number;
  mappedPages: number;
  unmappedPages: number;
  largeMaps: number;
  demotions: number;
  /** Pages of demoted large pages that stayed mapped. */
  keptPages: number;
  tablesInstalled: number;
  tablesRemoved: number;
  entrySplits: number;
  /** Batches that other cores had to acknowledge, and batches that the own core could finish. */
  remoteShootdowns: number;
  localShootdowns: number;
  limboBatches: number;
  /** Pages whose unmap was deferred, interrupts that were not sent for it then, and flushes of the whole list. */
  deferredPages: number;
  deferredIpis: number;
  deferredFlushes: number;
  poisonFaults: number;
  /** Blocks and base frames moved to another place, shootdowns for it, and moves given up for a core that is late. */
  moves: number;
  movedFrames: number;
  /** Base frames of soft references that were reused, and of extra memory that was taken by force. */
  lostSoftFrames: number;
  reclaimedFrames: number;
  /** Requests to give extra memory back that reached a thread. */
  returnRequests: number;
  moveShootdowns: number;
  /** Cores that these had to interrupt. */
  moveIpis: number;
  movesAbandoned: number;
  /** Regions emptied, and tries that ended before: something in the way, no room, memory wanted elsewhere. */
  evacuations: number;
  evacuationsFailed: number;
  /** Operations that waited for memory to be moved, and how long, in cycles of their cores. */
  moveWaits: number;
  moveWaitCycles: number;
  /** Attempts to take a block, counted while a fault switch asks for it. */
  blockRequests: number;
}

export const newCounters = (): Counters => ({
  requests: 0,
  refusals: 0,
  binds: 0,
  boundFrames: 0,
  cowBreaks: 0,
  copiedFrames: 0,
  zeroedFrames: 0,
  mappedPages: 0,
  unmappedPages: 0,
  largeMaps: 0,
  demotions: 0,
  keptPages: 0,
  tablesInstalled: 0,
  tablesRemoved: 0,
  entrySplits: 0,
  remoteShootdowns: 0,
  localShootdowns: 0,
  limboBatches: 0,
  deferredPages: 0,
  deferredIpis: 0,
  deferredFlushes: 0,
  poisonFaults: 0,
  moves: 0,
  movedFrames: 0,
  lostSoftFrames: 0,
  reclaimedFrames: 0,
  returnRequests: 0,
  moveShootdowns: 0,
  moveIpis: 0,
  movesAbandoned: 0,
  evacuations: 0,
  evacuationsFailed: 0,
  moveWaits: 0,
  moveWaitCycles: 0,
  blockRequests: 0,
});
