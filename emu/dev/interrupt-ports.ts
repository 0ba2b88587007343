/**
 * What the interrupt controllers say to each other and to the cores. The machine implements CoreSignals, the
 * tests implement it with an array; no controller sees a core block or the bus.
 */

/** ICR and redirection-table delivery modes (SDM vol. 3 fig. 11-12, 82093AA §3.2.4). */
export enum Delivery {
  Fixed = 0,
  Lowest = 1,
  Smi = 2,
  Nmi = 4,
  Init = 5,
  Startup = 6,
  ExtInt = 7,
}

/** Effects of an interrupt controller on the cores. */
export interface CoreSignals {
  /** Level of the INTR pin of `core`: 1 while a vector waits above the processor priority. */
  setIntr(core: number, level: 0 | 1): void;
  /** Edge on the NMI pin. */
  nmi(core: number): void;
  /** INIT: the core goes to its reset state and waits for a SIPI. */
  init(core: number): void;
  /** SIPI: starts the core in real mode at page << 12, if it waits for one; otherwise nothing. */
  startup(core: number, page: number): void;
}

/** One interrupt message on the way to the local APICs. */
export interface ApicMessage {
  readonly delivery: Delivery;
  readonly vector: number;
  /** Level-triggered: the TMR bit is set, the EOI goes to the I/O APIC. */
  readonly trigger: 'edge' | 'level';
}

/** Destination field of a message: an APIC ID (0xFF = all) or a mask of logical IDs. */
export interface ApicDestination {
  readonly mode: 'physical' | 'logical';
  readonly id: number;
}

/** Where the I/O APIC posts its messages. */
export interface ApicMessagePort {
  post(to: ApicDestination, message: ApicMessage): void;
}
