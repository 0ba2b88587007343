/**
 * Bare images on both engines: the checksums of the loops are those that the same image gives under QEMU
 * (guest/bare/loops/expected.txt), so an instruction that computes wrongly in compiled code shows here.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Engine } from '../../emu/arch/engine.ts';
import { type EngineContext, Interpreter, Translator } from '../../emu/cpu/index.ts';
import { Machine } from '../../emu/machine.ts';
import { loadPlan, planMultiboot } from '../../emu/multiboot.ts';
import { firmwareRom } from '../../firmware/image.ts';

const RAM_BYTES = 64 << 20;
const PORT_COM1 = 0x3f8;
const PORT_DEBUG = 0xe9;
const MAX_INSTRUCTIONS = 30_000_000;

const ENGINES: readonly { readonly name: string; readonly make: (context: EngineContext) => Engine }[] = [
  { name: 'interpreter', make: (context) => new Interpreter(context) },
  { name: 'translator', make: (context) => new Translator(context) },
];

const file = (path: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../guest/${path}`, import.meta.url)));
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Runs a bare image to its exit; returns what it wrote to a port after the firmware's lines, and its status. */
function runBare(image: string, commandLine: string, engine: (context: EngineContext) => Engine) {
  const plan = planMultiboot({ image: file(`bin/${image}.elf`), ramBytes: RAM_BYTES, commandLine });
  const machine = new Machine({ rom: firmwareRom(), ramBytes: RAM_BYTES, cores: 1, bare: plan, engine });
  loadPlan(plan, machine.bus.dma);
  const written = new Map<number, string>();
  machine.console = (byte, port) => {
    written.set(port, (written.get(port) ?? '') + String.fromCharCode(byte));
  };
  const stop = machine.run({ maxInstructions: MAX_INSTRUCTIONS });
  const serial = written.get(PORT_COM1) ?? '';
  return {
    serial: serial.slice(serial.search(/image at [0-9a-f]+\r\n/)).replace(/^.*\r\n/, ''),
    debug: written.get(PORT_DEBUG) ?? '',
    stop,
  };
}

describe.each(ENGINES)('bare programs on the $name', ({ make }) => {
  it('computes in each loop what QEMU computes', { timeout: 60_000 }, () => {
    const expected = text(file('bare/loops/expected.txt'));
    const oneUnitEach = expected.replace(/<.*\n/g, '=1 ');
    const { debug, stop } = runBare('bare-loops', `loops ${oneUnitEach}`, make);
    expect(debug).toBe(expected);
    expect(stop).toMatchObject({ kind: 'exit-port', status: 1 });
  });

  it('writes hello on the serial port and leaves by the exit port', () => {
    const { serial, debug, stop } = runBare('bare-hello', '', make);
    expect(serial).toContain(text(file('bare/hello.expected.txt')));
    expect(debug).toBe('hello: done\n');
    expect(stop).toMatchObject({ kind: 'exit-port', status: 1 });
  });
});
