/** Page walker and translated access; see the methods. */
import type { CostModel } from '../arch/cost.ts';
import type { EventPort } from '../arch/ports.ts';
import type { Bus } from './bus.ts';
import type { SharedMemory } from './memory.ts';
import type { Tlb } from './tlb.ts';

export class Mmu {
  constructor(
    readonly memory: SharedMemory,
    readonly bus: Bus,
    readonly tlb: Tlb,
    readonly costs: CostModel,
    readonly events: EventPort,
  ) {}
  /** The A20 gate: 'open' lets address bit 20 through. Affects every core; flat tables are dropped. */
  setA20(_gate: 'open' | 'masked'): void {}
}
