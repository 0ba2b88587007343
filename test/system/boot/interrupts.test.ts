import { describe, expect, it } from 'vitest';
import { PORT_COM1, PORT_DEBUG_CONSOLE } from '../../../emu/arch/address-map.ts';
import { CoreF } from '../../../emu/arch/core-layout.ts';
import { Machine } from '../../../emu/machine.ts';
import type { MachineConfig } from '../../../emu/machine-config.ts';
import { loadPlan, planMultiboot } from '../../../emu/multiboot.ts';
import { decode, encode } from '../../../emu/plain-data-codec.ts';
import { firmwareRom } from '../../../firmware/image.ts';
import { assemble, canAssemble, image } from './images/images.ts';

const RAM = 8 << 20;

/** The toy kernel on two cores; two lines are typed at the serial line before it starts to listen. */
function makeKernel(config: Partial<MachineConfig> = {}) {
  const plan = planMultiboot({ image: image('interrupts'), ramBytes: RAM });
  const machine = new Machine({ rom: firmwareRom(), cores: 2, ramBytes: RAM, bare: plan, ...config });
  loadPlan(plan, machine.bus.dma);
  const output = { serial: '', debug: '' };
  machine.console = (byte, port) => {
    if (port === PORT_COM1) output.serial += String.fromCharCode(byte);
    if (port === PORT_DEBUG_CONSOLE) output.debug += String.fromCharCode(byte);
  };
  return { machine, output };
}

/** Types a line whenever the machine waits for one. */
function runWithTyping(machine: Machine, lines: readonly string[]) {
  for (const line of lines) {
    expect(machine.run({ maxInstructions: 1_000_000 })).toEqual({ kind: 'idle' });
    machine.board.uart.receive([...line].map((letter) => letter.charCodeAt(0)));
  }
  return machine.run({ maxInstructions: 1_000_000 });
}

describe('a toy kernel on two cores', () => {
  it.each([1, 7, 100, 1000, 20_000])(
    'gets timer, serial and interprocessor interrupts with a quantum of %d',
    (quantum) => {
      const { machine, output } = makeKernel({ quantum });
      expect(runWithTyping(machine, ['hi\n', 'x\n'])).toEqual({ kind: 'exit-port', core: 0, status: 1 });
      expect(output.debug).toBe('TTTTThi\nPx\nQAQAQA');
      expect(output.serial.endsWith('hi\nx\n')).toBe(true);
    },
  );

  it('is interrupted by the timer at its period, whatever the quantum', () => {
    for (const quantum of [10, 20_000]) {
      const { machine } = makeKernel({ quantum });
      const ticks: number[] = [];
      machine.console = (byte, port) => {
        if (port === PORT_DEBUG_CONSOLE && byte === 0x54) ticks.push(machine.cores[0]!.f[CoreF.CYCLES]!);
      };
      machine.run({ maxInstructions: 1_000_000 });
      const periods = ticks.slice(1).map((tick, i) => tick - ticks[i]!);
      expect(periods).toEqual([5000, 5000, 5000, 5000]);
    }
  });

  it('goes on from a snapshot taken while everybody waits for a key', () => {
    const first = makeKernel();
    first.machine.run({ maxInstructions: 1_000_000 });
    const second = makeKernel();
    second.machine.load(decode(encode(first.machine.save())));
    for (const { machine } of [first, second]) {
      machine.board.uart.receive([0x68, 10]);
      machine.run({ maxInstructions: 1_000_000 });
    }
    expect(first.output.debug).toBe(`TTTTT${second.output.debug}`);
    expect(encode(second.machine.save())).toEqual(encode(first.machine.save()));
  });

  it.skipIf(!canAssemble())('is what its source says (skipped without an assembler)', () => {
    expect(assemble('interrupts')).toEqual(image('interrupts'));
  });
});
