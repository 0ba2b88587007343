/** What a hostile driver may do to the DMA devices, and the machine that it does it to. */
import fc from 'fast-check';
import { PORT_BUS_MASTER, PORT_DMA_DISK } from '../../../emu/arch/dma.ts';
import { type Engine, Exit } from '../../../emu/arch/engine.ts';
import type { AccessSize } from '../../../emu/arch/ports.ts';
import { IoAccess } from '../../../emu/dev/io-protection.ts';
import { Machine } from '../../../emu/machine.ts';
import { program } from '../../unit/dev/dma-fixture.ts';

export const RAM_BYTES = 4 << 20;
const LIST = 0x100000;
const DISK_CHANNEL = 3;

type Piece = readonly [address: number, length: number, flags: number];
export type Step =
  /** A driver's sequence with any numbers in it. */
  | {
      readonly kind: 'program';
      readonly channel: number;
      readonly address: number;
      readonly length: number;
      readonly mode: number;
    }
  | { readonly kind: 'disk'; readonly command: number; readonly sector: number; readonly count: number }
  | {
      readonly kind: 'master';
      readonly command: number;
      readonly sector: number;
      readonly pieces: readonly Piece[];
    }
  | { readonly kind: 'port'; readonly port: number; readonly size: AccessSize; readonly value: number }
  | { readonly kind: 'time'; readonly events: number }
  | {
      readonly kind: 'allow' | 'deny';
      readonly frame: number;
      readonly count: number;
      readonly access: number;
    };

const record = <K extends string, T extends object>(
  kind: K,
  fields: { [F in keyof T]: fc.Arbitrary<T[F]> },
) => fc.record({ kind: fc.constant(kind), ...fields } as never) as fc.Arbitrary<never>;
/** Near the edges of pages, of RAM, of the hole, or anywhere. */
const address = fc.oneof(
  fc.nat(RAM_BYTES - 1),
  fc.nat(RAM_BYTES - 1),
  fc.nat(0xffffff),
  fc
    .tuple(fc.integer({ min: 1, max: 64 }), fc.integer({ min: -300, max: 300 }))
    .map(([n, d]) => n * 0x10000 + d),
);
const length = fc.integer({ min: 1, max: 2500 }).map((n) => 2 * n);
const anyAddress = fc.oneof({ weight: 4, arbitrary: address }, { weight: 1, arbitrary: fc.nat(0xffffffff) });
const flags = fc.nat(1);
/** Descriptors that mostly make whole sectors. */
const pieces: fc.Arbitrary<readonly Piece[]> = fc
  .array(
    fc.oneof(
      fc.tuple(anyAddress, fc.constantFrom(512, 1024, 4096), flags).map((whole) => [whole] as Piece[]),
      fc
        .tuple(anyAddress, anyAddress, fc.integer({ min: 1, max: 511 }), flags)
        .map(([a, b, n, flag]): Piece[] => [
          [a, n, flag],
          [b, 512 - n, flag],
        ]),
      fc.tuple(anyAddress, fc.nat(2000), flags).map((odd) => [odd] as Piece[]),
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((groups) => groups.flat());
const sector = fc.nat(50);
/** Single, write to memory or read from it, is what drivers use; now and then all the rest. */
const mode = fc.oneof(
  fc.constantFrom(0x44, 0x48, 0x44, 0x48, 0x64, 0x54, 0x84, 0x04),
  fc.nat(63).map((n) => n << 2),
);
const channelProgram = (channel: fc.Arbitrary<number>) =>
  record('program', { channel, address, length, mode });
const diskCommand = record('disk', {
  command: fc.constantFrom(1, 1, 1, 1, 2, 2, 2, 0, 3, 4, 5),
  sector,
  count: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.nat(130)),
});
const masterCommand = record('master', { command: fc.constantFrom(1, 1, 1, 1, 0, 4, 5), sector, pieces });
const time = record('time', { events: fc.integer({ min: 1, max: 90 }) });
const portWrite = record('port', {
  port: fc.oneof(
    fc.nat(15),
    fc.nat(31).map((n) => 0xc0 + n),
    fc.nat(14).map((n) => 0x81 + n),
    fc.nat(7).map((n) => PORT_DMA_DISK + n),
    fc.nat(7).map((n) => PORT_BUS_MASTER + 4 * n),
  ),
  size: fc.constantFrom(1, 2, 4),
  value: fc.oneof(fc.nat(255), fc.nat(0xffffffff)),
});
const protect = fc.record({
  kind: fc.constantFrom('allow' as const, 'deny' as const),
  frame: fc.nat(1000),
  count: fc.nat(23),
  access: fc.nat(3),
});
/** A driver's whole turn and some of the events that follow it, or one thing out of turn. */
const turn: fc.Arbitrary<Step[]> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(channelProgram(fc.constant(DISK_CHANNEL)), diskCommand, time) },
  { weight: 2, arbitrary: fc.tuple(masterCommand, time) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.oneof(channelProgram(fc.constantFrom(0, 3, 5)), diskCommand, masterCommand)),
  },
  { weight: 1, arbitrary: fc.tuple(fc.oneof(portWrite, protect, time)) },
);
export const steps = fc
  .array(turn, { minLength: 1, maxLength: 12, size: 'max' })
  .map((turns) => turns.flat());

const restingEngine: Engine = {
  name: 'resting',
  run: () => Exit.Halt,
  invalidateCode: () => {},
  reset: () => {},
};

/** A machine with both devices; with protection, everything is allowed at first. */
export function makeMachine(ioProtection: 'on' | 'off'): Machine {
  const image = Uint8Array.from({ length: 64 * 512 }, (_, i) => (i & 0xff) | 1);
  const machine = new Machine({
    rom: new Uint8Array(4096),
    cores: 1,
    ramBytes: RAM_BYTES,
    engine: () => restingEngine,
    dmaDisk: { image, channel: DISK_CHANNEL },
    busMaster: { image },
    ioProtection,
  });
  machine.ioProtection.allow(0, RAM_BYTES / 4096, IoAccess.Read | IoAccess.Write);
  return machine;
}

export const portsOf = ({ io }: Machine) => ({
  out: (port: number, value: number, size: AccessSize = 1) => io.write(port, size, value, 0),
});

/** Does one step; `fire` lets one event of the clock happen and is false when there is none. */
export function apply(machine: Machine, step: Step, fire: (machine: Machine) => boolean): void {
  const ports = portsOf(machine);
  switch (step.kind) {
    case 'program':
      program(ports, step);
      break;
    case 'disk':
      ports.out(PORT_DMA_DISK + 1, 1);
      ports.out(PORT_DMA_DISK + 2, step.count);
      ports.out(PORT_DMA_DISK + 4, step.sector, 4);
      ports.out(PORT_DMA_DISK, step.command);
      break;
    case 'master':
      for (const [i, words] of step.pieces.entries()) {
        for (const [k, word] of words.entries()) machine.bus.write32(LIST + 16 * i + 4 * k, word);
      }
      ports.out(PORT_BUS_MASTER + 4, LIST, 4);
      ports.out(PORT_BUS_MASTER + 8, step.sector, 4);
      ports.out(PORT_BUS_MASTER + 12, step.pieces.length, 4);
      ports.out(PORT_BUS_MASTER, step.command, 4);
      break;
    case 'port':
      ports.out(step.port, step.value, step.size);
      break;
    case 'time':
      for (let i = 0; i < step.events && fire(machine); i++);
      break;
    case 'allow':
      machine.ioProtection.allow(step.frame, step.count, step.access);
      break;
    case 'deny':
      machine.ioProtection.deny(step.frame, step.count);
      break;
  }
}

export const fireOne = ({ clock }: Machine) => clock.fireNext(Number.MAX_SAFE_INTEGER);
