/**
 * What an engine is given: memory, translation, ports, interrupts, events, costs. Shared by all engines; the machine
 * makes one and may change `trapMode` at any time between slices.
 */
import type { CostModel } from '../arch/cost.ts';
import type { TrapMode } from '../arch/engine.ts';
import type { EventPort, InterruptSource, IoSpace } from '../arch/ports.ts';
import type { Bus } from '../mem/bus.ts';
import type { SharedMemory } from '../mem/memory.ts';
import type { Mmu } from '../mem/mmu.ts';
import type { Tlb } from '../mem/tlb.ts';

export interface EngineContext {
  readonly memory: SharedMemory;
  readonly bus: Bus;
  readonly tlb: Tlb;
  readonly mmu: Mmu;
  readonly io: IoSpace;
  readonly interrupts: InterruptSource;
  readonly events: EventPort;
  readonly costs: CostModel;
  trapMode: TrapMode;
}
