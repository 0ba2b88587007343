/**
 * `physmem bare IMAGE`: a multiboot image on the machine with no kernel attached. Serial line and debug port come to
 * standard output; the exit port (0xF4) ends the run with status (v << 1) | 1, which is then the exit code.
 */
import { ImageError } from '../../emu/image-error.ts';
import { Machine } from '../../emu/machine.ts';
import { type LoadPlan, loadPlan, planMultiboot } from '../../emu/multiboot.ts';
import { firmwareRom } from '../../firmware/image.ts';
import { thousands } from '../observe/number-format.ts';
import { HostError } from '../scenario/host-error.ts';
import { ConsoleWriter } from './console-writer.ts';
import type { Io } from './io.ts';
import type { MachineOptions, OutputOptions } from './options.ts';
import { outcomeOf } from './run-end.ts';
import { runSliced } from './sliced-run.ts';
import { StatusLine } from './status-line.ts';

export interface BareOptions extends MachineOptions, OutputOptions {
  readonly cmdline?: string;
  readonly module?: readonly string[];
}

const DEFAULT_RAM_BYTES = 32 << 20;
const PORT_DEBUG_CONSOLE = 0xe9;

/** Returns the exit code. @throws HostError when the image cannot be loaded. */
export async function bareCommand(path: string, options: BareOptions, io: Io): Promise<number> {
  const ramBytes = options.ram ?? DEFAULT_RAM_BYTES;
  const plan = planImage(path, options, ramBytes, io);
  const machine = new Machine({
    rom: firmwareRom(),
    ramBytes,
    cores: options.cores ?? 1,
    seed: options.seed ?? 1,
    bare: plan,
  });
  loadPlan(plan, {
    read: (pa, into) => machine.bus.readBytes(pa, into),
    write: (pa, from) => machine.bus.writeBytes(pa, from),
  });
  const isJson = options.json === true;
  const status = new StatusLine(io, isJson || options.quiet ? 'off' : 'on');
  const output = new ConsoleWriter(io, {
    show: isJson ? 'kept' : 'live',
    sources: ['serial', 'debug'],
    beforeWrite: () => status.clear(),
  });
  machine.console = (byte, port) =>
    output.write(Uint8Array.of(byte), port === PORT_DEBUG_CONSOLE ? 'debug' : 'serial');
  const limits = { maxInstructions: options.maxInstructions ?? null, maxCycles: options.maxCycles ?? null };
  const started = io.hostSeconds();
  const end = await runSliced(machine, limits, io, {
    afterSlice: () => {
      output.flush();
      if (output.atLineStart) status.update(machine.instructions, machine.cycles);
    },
  });
  const hostSeconds = Number((io.hostSeconds() - started).toFixed(6));
  status.clear();
  output.endLine();
  const exit = outcomeOf(end);
  const { instructions, cycles } = machine;
  if (isJson) {
    const report = { image: path, instructions, cycles, hostSeconds, exit, console: output.text() };
    io.out(`${JSON.stringify(report)}\n`);
  } else if (!options.quiet || exit.kind !== 'exit') {
    io.err(
      `${exit.sentence}, after ${thousands(instructions)} instructions and ${thousands(cycles)} cycles\n`,
    );
  }
  return exit.code;
}

function planImage(path: string, options: BareOptions, ramBytes: number, io: Io): LoadPlan {
  const modules = (options.module ?? []).map((file) => ({ bytes: io.readFile(file), commandLine: file }));
  const image = io.readFile(path);
  try {
    return planMultiboot({ image, ramBytes, commandLine: options.cmdline ?? path, modules });
  } catch (error) {
    if (error instanceof ImageError) throw new HostError(`${path}: ${error.message}`);
    throw error;
  }
}
