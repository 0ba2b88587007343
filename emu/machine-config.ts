/**
 * Configuration of a machine: what may be chosen, what is taken when nothing is said, and what is refused. Pure
 * data but for the two factories. The person at the CLI gets better words from the scenario schema; the checks
 * here are the last line, and each throws RangeError with one sentence.
 */
import { MAX_CORES, MAX_RAM, MIN_RAM, ROM_SIZE } from './arch/address-map.ts';
import { type CostModel, DEFAULT_COSTS } from './arch/cost.ts';
import { type IoProtectionMode, isDmaChannel } from './arch/dma.ts';
import type { Engine } from './arch/engine.ts';
import { PAGE_SIZE } from './arch/types.ts';
import { type EngineContext, Translator } from './cpu/index.ts';
import type { ModuleImage } from './dev/module-window.ts';
import { DEFAULT_TLB, type MemoryProvider, type TlbGeometry, wasmMemory } from './mem/index.ts';
import type { Schedule } from './schedule.ts';

/** A bare image that is already in RAM (emu/multiboot.ts). */
export interface BareImage {
  /** Where the firmware jumps to. */
  readonly entry: number;
  /** Physical address of the multiboot information structure. */
  readonly multibootInfo: number;
}

/** A disk whose sectors move without a core. The bytes are whole sectors of 512, and are never changed. */
export interface BusMasterConfig {
  readonly image: Uint8Array;
  /** Cycles that a sector takes on the medium; the cost model's `diskSector` when it is not given. */
  readonly sectorCycles?: number;
}

export interface DmaDiskConfig extends BusMasterConfig {
  /** The channel of the 8237 that it is wired to: 0 to 3 pass bytes, 5 to 7 words (default 3). */
  readonly channel?: number;
}

export interface MachineConfig {
  /** Firmware, at most 64 KiB; it ends at the top of the 4 GiB space. */
  readonly rom: Uint8Array;
  readonly cores?: number;
  readonly ramBytes?: number;
  readonly tlb?: TlbGeometry;
  readonly costs?: CostModel;
  /** Seed of the schedule. */
  readonly seed?: number;
  /** Mean slice length in instructions. */
  readonly quantum?: number;
  /** Makes the engine; the translator where nothing is said (DEFAULT_ENGINE). */
  readonly engine?: (context: EngineContext) => Engine;
  readonly memory?: MemoryProvider;
  readonly modules?: readonly ModuleImage[];
  /** Replaces the seeded schedule. */
  readonly schedule?: Schedule;
  /** Calendar time at cycle 0, seconds since 1970 (default 2005-01-01 00:00:00 UTC). */
  readonly epochSeconds?: number;
  /** Speed of the emulated clock against its own calendar (default 100 MHz). */
  readonly cyclesPerSecond?: number;
  readonly bare?: BareImage | null;
  /**
   * Contents of IDE drives 0 and 1, null where there is none. Whole sectors of 512 bytes; the arrays belong to the
   * machine afterwards, which does not change them: what the guest writes is kept beside them.
   */
  readonly disks?: readonly [Uint8Array | null, Uint8Array | null];
  /** A disk on the 8237, and one that is a bus master (docs/dma.md); none by default. */
  readonly dmaDisk?: DmaDiskConfig | null;
  readonly busMaster?: BusMasterConfig | null;
  /** Page protection of the bus masters; off by default. */
  readonly ioProtection?: IoProtectionMode;
}

export type MachineSettings = Required<Omit<MachineConfig, 'schedule'>> & {
  readonly schedule: Schedule | null;
};

const EPOCH_2005 = 1_104_537_600;

/** The configuration with every default filled in. Throws RangeError when it describes no possible machine. */
export function machineSettings(config: MachineConfig): MachineSettings {
  const settings: MachineSettings = {
    rom: config.rom,
    cores: config.cores ?? 2,
    ramBytes: config.ramBytes ?? 32 << 20,
    tlb: config.tlb ?? DEFAULT_TLB,
    costs: config.costs ?? DEFAULT_COSTS,
    seed: config.seed ?? 1,
    quantum: config.quantum ?? 1000,
    engine: config.engine ?? ((context) => new Translator(context)),
    memory: config.memory ?? wasmMemory,
    modules: config.modules ?? [],
    schedule: config.schedule ?? null,
    epochSeconds: config.epochSeconds ?? EPOCH_2005,
    cyclesPerSecond: config.cyclesPerSecond ?? 100_000_000,
    bare: config.bare ?? null,
    disks: config.disks ?? [null, null],
    dmaDisk: config.dmaDisk ?? null,
    busMaster: config.busMaster ?? null,
    ioProtection: config.ioProtection ?? 'off',
  };
  checkSettings(settings);
  return settings;
}

function checkSettings(s: MachineSettings): void {
  requireInteger('cores', s.cores, 1, MAX_CORES);
  requireInteger('ramBytes', s.ramBytes, MIN_RAM, MAX_RAM);
  if (s.ramBytes % PAGE_SIZE !== 0) throw new RangeError(`ramBytes is ${s.ramBytes}, not a multiple of 4096`);
  requireInteger('quantum', s.quantum, 1, 2 ** 30);
  requireInteger('seed', s.seed, 0, 2 ** 32 - 1);
  requireInteger('cyclesPerSecond', s.cyclesPerSecond, 1, 2 ** 40);
  requireInteger('epochSeconds', s.epochSeconds, 0, 2 ** 36);
  if (s.rom.length === 0 || s.rom.length > ROM_SIZE || s.rom.length % PAGE_SIZE !== 0) {
    throw new RangeError(`rom has ${s.rom.length} bytes, a multiple of 4096 up to ${ROM_SIZE} is needed`);
  }
  for (const [name, value] of Object.entries(s.costs)) requireInteger(`costs.${name}`, value, 0, 2 ** 31);
  checkDmaDisks(s);
  // Time must pass, or a loop that waits for a timer waits for ever.
  requireInteger('costs.instruction', s.costs.instruction, 1, 2 ** 31);
}

function checkDmaDisks({ dmaDisk, busMaster }: MachineSettings): void {
  if (dmaDisk?.channel !== undefined && !isDmaChannel(dmaDisk.channel)) {
    throw new RangeError(`dmaDisk.channel is ${dmaDisk.channel}, one of 0 to 3 or 5 to 7 is needed`);
  }
  for (const disk of [dmaDisk, busMaster]) {
    if (disk?.sectorCycles !== undefined) requireInteger('sectorCycles', disk.sectorCycles, 0, 2 ** 31);
  }
}

function requireInteger(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new RangeError(`${name} is ${value}, a whole number from ${least} to ${most} is needed`);
}
