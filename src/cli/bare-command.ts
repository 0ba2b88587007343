/**
 * `physmem bare IMAGE`: a multiboot image on the machine with no kernel attached. Serial line and debug port come to
 * standard output, standard input goes to the serial line; the exit port (0xF4) ends the run with status (v << 1) | 1,
 * which is then the exit code. A triple fault is explained.
 */
import { CoreF, R } from '../../emu/arch/core-layout.ts';
import { DEFAULT_ENGINE, type EngineName } from '../../emu/arch/engine.ts';
import { EXCEPTION_NAMES } from '../../emu/arch/vectors.ts';
import { type EngineMaker, engineNamed } from '../../emu/engine-choice.ts';
import { ImageError } from '../../emu/image-error.ts';
import { Machine } from '../../emu/machine.ts';
import { type LoadPlan, loadPlan, planMultiboot } from '../../emu/multiboot.ts';
import type { StopReason } from '../../emu/stop-reason.ts';
import { firmwareRom } from '../../firmware/image.ts';
import { hex32, thousands } from '../observe/number-format.ts';
import { type ShutdownReport, shutdownReport, shutdownText } from '../observe/shutdown-report.ts';
import { TraceRing } from '../observe/trace.ts';
import { TraceRecording } from '../observe/trace-recording.ts';
import { HostError, quoted } from '../scenario/host-error.ts';
import { ConsoleInput } from './console-input.ts';
import { ConsoleWriter } from './console-writer.ts';
import type { Io } from './io.ts';
import type { MachineOptions, OutputOptions } from './options.ts';
import { type Outcome, outcomeOf } from './run-end.ts';
import { type RunEnd, runSliced } from './sliced-run.ts';
import { StatusLine } from './status-line.ts';
import { formatOfFile, traceText } from './trace-files.ts';

export interface BareOptions extends MachineOptions, OutputOptions {
  readonly cmdline?: string;
  readonly module?: readonly string[];
  readonly disk0?: string;
  readonly disk1?: string;
  readonly saveDisk0?: string;
  readonly saveDisk1?: string;
  readonly dmaDisk?: string;
  readonly busMaster?: string;
  /** A file, `-` for standard input; Commander's `--no-input` sets it to false. */
  readonly input?: string | false;
  readonly trace?: string;
}

const DEFAULT_RAM_BYTES = 32 << 20;
const PORT_DEBUG_CONSOLE = 0xe9;
const SECTOR_BYTES = 512;

/** Returns the exit code. @throws HostError when the image or a disk cannot be loaded, or a file not be written. */
export async function bareCommand(path: string, options: BareOptions, io: Io): Promise<number> {
  const machine = makeMachine(path, options, io);
  const recording = options.trace === undefined ? null : record(machine);
  const isJson = options.json === true;
  const status = new StatusLine(io, isJson || options.quiet ? 'off' : 'on');
  const output = new ConsoleWriter(io, {
    show: isJson ? 'kept' : 'live',
    sources: ['serial', 'debug'],
    beforeWrite: () => status.clear(),
  });
  machine.console = (byte, port) =>
    output.write(Uint8Array.of(byte), port === PORT_DEBUG_CONSOLE ? 'debug' : 'serial');
  const started = io.hostSeconds();
  const end = await runMachine(machine, options, io, () => {
    output.flush();
    if (output.atLineStart) status.update(machine.instructions, machine.cycles);
  });
  const hostSeconds = Number((io.hostSeconds() - started).toFixed(6));
  status.clear();
  if (!isJson) output.endLine();
  const result: BareResult = {
    image: path,
    instructions: machine.instructions,
    cycles: machine.cycles,
    hostSeconds,
    exit: explained(outcomeOf(end), machine),
    shutdown:
      end.kind === 'stop' && end.stop.kind === 'shutdown' ? shutdownReport(machine, end.stop.core) : null,
  };
  if (isJson) io.out(`${JSON.stringify({ ...result, console: output.text() })}\n`);
  else if (!options.quiet || result.exit.kind !== 'exit') io.err(resultText(result));
  if (recording !== null && options.trace !== undefined) {
    const context = { cores: machine.settings.cores, rootName: path, framesAtBoot: null };
    io.writeFile(options.trace, traceText(recording, formatOfFile(options.trace), context));
  }
  saveDisks(machine, [options.saveDisk0, options.saveDisk1], io);
  return result.exit.code;
}

interface BareResult {
  readonly image: string;
  readonly instructions: number;
  readonly cycles: number;
  readonly hostSeconds: number;
  readonly exit: Outcome;
  /** null unless a core shut down. */
  readonly shutdown: ShutdownReport | null;
}

/** @throws HostError for an engine that runs tasks of a kernel only */
function bareEngine(name: EngineName): EngineMaker {
  if (name !== 'unicorn') return engineNamed(name);
  throw new HostError(
    '--engine unicorn runs tasks above a kernel; an image for the bare machine needs interpreter or translator',
  );
}

function makeMachine(path: string, options: BareOptions, io: Io): Machine {
  const ramBytes = options.ram ?? DEFAULT_RAM_BYTES;
  const disks = [
    readDisk('--disk0', options.disk0, options.saveDisk0, io),
    readDisk('--disk1', options.disk1, options.saveDisk1, io),
  ] as const;
  const dmaDisk = readDisk('--dma-disk', options.dmaDisk, undefined, io);
  const busMaster = readDisk('--bus-master', options.busMaster, undefined, io);
  const plan = planImage(path, options, ramBytes, io);
  const machine = new Machine({
    rom: firmwareRom(),
    ramBytes,
    cores: options.cores ?? 1,
    seed: options.seed ?? 1,
    engine: bareEngine(options.engine ?? DEFAULT_ENGINE),
    bare: plan,
    disks,
    dmaDisk: dmaDisk && { image: dmaDisk },
    busMaster: busMaster && { image: busMaster },
  });
  loadPlan(plan, machine.bus.dma);
  return machine;
}

async function runMachine(
  machine: Machine,
  options: BareOptions,
  io: Io,
  afterSlice: () => void,
): Promise<RunEnd<StopReason>> {
  const limits = { maxInstructions: options.maxInstructions ?? null, maxCycles: options.maxCycles ?? null };
  const input = new ConsoleInput(io, (bytes) => machine.board.uart.receive(bytes));
  try {
    await input.start(options.input);
    return await runSliced(machine, limits, io, {
      afterSlice: () => {
        afterSlice();
        input.flush();
      },
      onIdle: () => input.waitForKeys(),
    });
  } finally {
    input.stop();
  }
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

/** The contents of a disk, null when none is wanted. */
function readDisk(
  option: string,
  path: string | undefined,
  savedTo: string | undefined,
  io: Io,
): Uint8Array | null {
  if (path === undefined) {
    if (savedTo === undefined) return null;
    throw new HostError(
      `${quoted(savedTo)} cannot get the contents of a disk that is not there: ${option} is missing`,
    );
  }
  const bytes = io.readFile(path);
  if (bytes.length > 0 && bytes.length % SECTOR_BYTES === 0) return bytes;
  throw new HostError(
    `${option} ${quoted(path)} has ${thousands(bytes.length)} bytes; a disk is one or more whole sectors of 512 bytes`,
  );
}

function saveDisks(machine: Machine, paths: readonly (string | undefined)[], io: Io): void {
  for (const [unit, disk] of machine.board.disks.entries()) {
    const path = paths[unit];
    if (disk !== null && path !== undefined) io.writeFile(path, disk.bytes());
  }
}

function record(machine: Machine): TraceRecording {
  const ring = new TraceRing();
  machine.events.sink = ring;
  return new TraceRecording(ring);
}

/** A limit that a guest reached which does little but fault gets its last exception. */
function explained(exit: Outcome, machine: Machine): Outcome {
  const faulted = machine.attempts - machine.instructions;
  if (exit.kind !== 'limit' || faulted * 2 < machine.attempts) return exit;
  const core = machine.cores.reduce((most, next) =>
    next.f[CoreF.FAULTED]! > most.f[CoreF.FAULTED]! ? next : most,
  );
  const name = EXCEPTION_NAMES[core.r[R.FAULT_VECTOR]!] ?? `vector ${core.r[R.FAULT_VECTOR]}`;
  return { ...exit, sentence: `${exit.sentence}, the last one ${name} at ${hex32(core.r[R.FAULT_EIP]!)}` };
}

function resultText({ exit, instructions, cycles, shutdown }: BareResult): string {
  const counts = `after ${thousands(instructions)} instructions and ${thousands(cycles)} cycles`;
  return `${exit.sentence}, ${counts}\n${shutdown === null ? '' : shutdownText(shutdown)}`;
}
