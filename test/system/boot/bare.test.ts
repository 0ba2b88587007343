import { describe, expect, it } from 'vitest';
import { PORT_COM1, PORT_DEBUG_CONSOLE } from '../../../emu/arch/address-map.ts';
import { CoreF, Flag, R } from '../../../emu/arch/core-layout.ts';
import { CR0_PG } from '../../../emu/arch/paging.ts';
import { Machine } from '../../../emu/machine.ts';
import { loadPlan, planMultiboot } from '../../../emu/multiboot.ts';
import { firmwareRom } from '../../../firmware/image.ts';

const MAGIC = 0x1badb002;
const LOAD = 0x100000;
const RAM = 8 << 20;

/** Flat multiboot image: header, then code at LOAD + 32, then the text. */
function flatImage(code: readonly number[], text = ''): Uint8Array {
  const image = new Uint8Array(32 + code.length + text.length + 1);
  const view = new DataView(image.buffer);
  const flags = 1 << 16;
  for (const [i, word] of [MAGIC, flags, -(MAGIC + flags), LOAD, LOAD, 0, 0, LOAD + 32].entries()) {
    view.setUint32(4 * i, word >>> 0, true);
  }
  image.set(code, 32);
  for (let i = 0; i < text.length; i++) image[32 + code.length + i] = text.charCodeAt(i);
  return image;
}

function makeBare(image: Uint8Array, cores = 1) {
  const plan = planMultiboot({ image, ramBytes: RAM, commandLine: 'one two' });
  const machine = new Machine({ rom: firmwareRom(), cores, ramBytes: RAM, bare: plan });
  loadPlan(plan, machine.bus.dma);
  const output = new Map<number, string>([
    [PORT_COM1, ''],
    [PORT_DEBUG_CONSOLE, ''],
  ]);
  machine.console = (byte, port) => void output.set(port, output.get(port)! + String.fromCharCode(byte));
  return { machine, output, plan };
}

/**
 * mov esi,text; 1: lodsb; test al,al; jz 2; mov dx,3f8h; out dx,al; out 0e9h,al; jmp 1; 2: mov al,3; out 0f4h,al; hlt
 */
const HELLO_CODE = [
  ...[0xbe, 0x00, 0x00, 0x00, 0x00, 0xac, 0x84, 0xc0, 0x74, 0x09, 0x66, 0xba, 0xf8, 0x03, 0xee],
  ...[0xe6, 0xe9, 0xeb, 0xf2, 0xb0, 0x03, 0xe6, 0xf4, 0xf4],
];
function helloImage(): Uint8Array {
  const image = flatImage(HELLO_CODE, 'Hello, bare machine.\n');
  new DataView(image.buffer).setUint32(33, LOAD + 32 + HELLO_CODE.length, true);
  return image;
}

describe('a bare multiboot image', () => {
  it('writes to the serial line and the debug console and ends by the exit port', () => {
    const { machine, output } = makeBare(helloImage());
    expect(machine.run({ maxInstructions: 10_000_000 })).toEqual({ kind: 'exit-port', core: 0, status: 7 });
    expect(output.get(PORT_DEBUG_CONSOLE)).toBe('Hello, bare machine.\n');
    expect(output.get(PORT_COM1)).toMatch(/start {4}image at 00100020\r\nHello, bare machine\.\n$/);
  });

  it('starts in the state that the multiboot specification promises', () => {
    const { machine, plan } = makeBare(flatImage([0xf4]), 2);
    expect(machine.run({ maxInstructions: 10_000_000 })).toEqual({ kind: 'idle' });
    const { r } = machine.cores[0]!;
    expect(r[R.EIP]).toBe(LOAD + 33);
    expect(r[R.EAX]! >>> 0).toBe(0x2badb002);
    expect(r[R.EBX]).toBe(plan.multibootInfo);
    expect(r[R.CR0]! & CR0_PG).toBe(0);
    expect(r[R.EFLAGS]! & Flag.IF).toBe(0);
    expect(machine.cores[1]!.f[CoreF.INSTRUCTIONS]).toBeGreaterThan(0);
  });

  it('that faults without an IDT ends in a shutdown that names the fault', () => {
    // lidt [zero limit at LOAD + 32 + 9]; ud2
    const code = [0x0f, 0x01, 0x1d, 0x29, 0x00, 0x10, 0x00, 0x0f, 0x0b, 0, 0, 0, 0, 0, 0];
    const { machine } = makeBare(flatImage(code));
    expect(machine.run({ maxInstructions: 10_000_000 })).toMatchObject({ kind: 'shutdown', core: 0 });
  });
});
