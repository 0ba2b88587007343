/** What other rooms import from emu/mem. */
export { Bus, type BusObserver, type CodeListener, type FrameFlagListener, HOST_MASTER } from './bus.ts';
export {
  createMemory,
  type MemoryOptions,
  type MemoryProvider,
  type ProvidedMemory,
  type SharedMemory,
  wasmMemory,
} from './memory.ts';
export type { MemoryLayout } from './memory-layout.ts';
export { Mmu } from './mmu.ts';
export { Tlb, type TlbEntryView, type TlbSide } from './tlb.ts';
export { DEFAULT_TLB, type TlbGeometry, type TlbPart, type TlbReplacement } from './tlb-entry.ts';
export {
  ACCESS_FETCH,
  ACCESS_USER,
  ACCESS_WRITE,
  type WalkExplanation,
  type WalkRule,
  type WalkStep,
} from './walk.ts';
