/**
 * An engine and Unicorn side by side, one instruction at a time, on the programs of sequence.ts. Registers and EFLAGS are
 * compared after every instruction, memory after every program. The first divergence ends a run.
 */
import { R, RunState, Seg } from '../../emu/arch/core-layout.ts';
import { DEFAULT_COSTS } from '../../emu/arch/cost.ts';
import { type Engine, Exit } from '../../emu/arch/engine.ts';
import { CR0_ET, CR0_PE } from '../../emu/arch/paging.ts';
import { disassemble, type EngineContext, Interpreter, resetCore } from '../../emu/cpu/index.ts';
import { Bus, createMemory, Mmu, Tlb } from '../../emu/mem/index.ts';
import { DATA_BASE, DATA_BYTES, dataBackground } from '../vectors/case-layout.ts';
import { ARITHMETIC } from '../vectors/draft.ts';
import { Random } from '../vectors/random.ts';
import { drawPiece, type Piece, sequenceForms } from './sequence.ts';
import { openUnicorn, type Unicorn } from './unicorn.ts';

const RAM_BYTES = 8 << 20;
/** Programs are laid one after the other, so that Unicorn never sees changed code; then a new pair begins. */
const CODE_START = 0x00400000;
const CODE_END = 0x00700000;
/** The window and what a displaced operand may reach around it. */
const WATCHED_BASE = DATA_BASE - 0x4000;
const WATCHED_BYTES = DATA_BYTES + 0x8000;
const COMPARED_FLAGS = ARITHMETIC | 0x400;
const PIECES = 24;
const REPEAT_LIMIT = 300;
const NAMES = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi', 'eip', 'eflags'];

export interface LockStepResult {
  readonly instructions: number;
  readonly programs: number;
  /** The first divergence in words, or null. */
  readonly divergence: string | null;
}

class Pair {
  readonly unicorn: Unicorn = openUnicorn();
  readonly engine: Engine;
  private readonly context: EngineContext;
  private readonly r: Int32Array;
  private readonly background: Uint8Array;
  private at = CODE_START;

  constructor(makeEngine: (context: EngineContext) => Engine) {
    const memory = createMemory({ ramBytes: RAM_BYTES, coreCount: 1 });
    const events = { sink: null };
    const bus = new Bus(memory, events);
    const tlb = new Tlb(memory, bus, events);
    this.context = {
      ...{
        memory,
        bus,
        tlb,
        mmu: new Mmu(memory, bus, tlb, DEFAULT_COSTS, events),
        events,
        costs: DEFAULT_COSTS,
      },
      io: { read: () => 0xffffffff, write: () => {} },
      interrupts: { acknowledge: () => -1 },
      trapMode: 'bare',
    };
    this.engine = makeEngine(this.context);
    this.r = memory.r[0]!;
    this.background = new Uint8Array(WATCHED_BYTES);
    this.background.set(dataBackground(), DATA_BASE - WATCHED_BASE);
    this.unicorn.map(0, RAM_BYTES);
    resetCore(memory, 0, 'power-on', RunState.Running);
    this.r[R.CR0] = CR0_PE | CR0_ET;
    for (let seg = Seg.ES; seg <= Seg.GS; seg++) {
      this.r[R.SEL + seg] = seg === Seg.CS ? 8 : 16;
      this.r[R.BASE + seg] = 0;
      this.r[R.LIMIT + seg] = -1;
      this.r[R.ATTR + seg] = seg === Seg.CS ? 0x00c09b00 : 0x00c09300;
    }
  }

  get isFull(): boolean {
    return this.at > CODE_END;
  }

  private writeBoth(address: number, bytes: Uint8Array): void {
    this.context.bus.dma.write(address, bytes);
    this.unicorn.write(address, bytes);
  }

  private ours(): number[] {
    return NAMES.map((_, i) => this.r[i]! >>> 0);
  }

  /** Runs a program on both; returns the number of steps, or the divergence. */
  run(pieces: readonly Piece[], random: Random): { steps: number; divergence: string | null } {
    const start = this.at;
    const code = Uint8Array.from(pieces.flatMap((piece) => piece.code));
    this.at += code.length + 16;
    this.writeBoth(start, code);
    this.writeBoth(WATCHED_BASE, this.background);
    for (const { offset, bytes } of pieces.flatMap((piece) => piece.pokes)) {
      this.writeBoth(DATA_BASE + offset, Uint8Array.from(bytes));
    }
    const first = [...Array.from({ length: 8 }, () => random.u32()), start, 0x202];
    for (let i = 0; i < first.length; i++) this.r[i] = first[i]!;
    this.unicorn.setRegisters(first);
    let steps = 0;
    let eip = start;
    for (const piece of pieces) {
      const divergence = this.step(piece, eip);
      if (divergence !== null) return { steps, divergence };
      eip += piece.code.length;
      steps++;
    }
    return { steps, divergence: this.compareMemory() };
  }

  /**
   * One instruction on both; a repeated one until it is through, because Unicorn takes one step more for it, in which it
   * finds the count zero.
   */
  private advance(piece: Piece, eip: number): { exit: Exit; status: number } {
    const end = eip + piece.code.length;
    const limit = piece.name.startsWith('rep') ? REPEAT_LIMIT : 1;
    let exit = Exit.Budget;
    let status = 0;
    for (let i = 0; i < limit && exit === Exit.Budget && this.r[R.EIP]! >>> 0 !== end; i++)
      exit = this.engine.run(0, 1);
    for (let i = 0; i < limit && status === 0 && (i === 0 || this.unicorn.eip() !== end); i++)
      status = this.unicorn.step(eip);
    return { exit, status };
  }

  private step(piece: Piece, eip: number): string | null {
    const before = this.ours();
    const { exit, status } = this.advance(piece, eip);
    const ours = this.ours();
    const theirs = this.unicorn.registers();
    const mask = COMPARED_FLAGS & ~piece.undefinedFlags;
    const differing = NAMES.filter((_, i) =>
      i === 9 ? ((ours[i]! ^ theirs[i]!) & mask) !== 0 : ours[i] !== theirs[i],
    );
    if (exit === Exit.Budget && status === 0 && differing.length === 0) {
      if (piece.undefinedFlags !== 0) this.unicorn.setFlags(ours[9]!);
      return null;
    }
    const bytes = Uint8Array.from(piece.code);
    const show = (values: readonly number[]): string =>
      NAMES.map((name, i) => `${name}=${values[i]!.toString(16)}`).join(' ');
    return [
      `${piece.name}: ${[...bytes].map((b) => b.toString(16).padStart(2, '0')).join(' ')}  ${disassemble(bytes, eip, 32).text}`,
      `  before:  ${show(before)}`,
      `  ours:    ${show(ours)} (${Exit[exit]})`,
      `  unicorn: ${show(theirs)} (error ${status})`,
      `  differ:  ${differing.join(' ')}`,
    ].join('\n');
  }

  private compareMemory(): string | null {
    const theirs = new Uint8Array(WATCHED_BYTES);
    this.unicorn.read(WATCHED_BASE, theirs);
    const ours = this.context.memory.ram.subarray(WATCHED_BASE, WATCHED_BASE + WATCHED_BYTES);
    const at = theirs.findIndex((byte, i) => byte !== ours[i]);
    if (at < 0) return null;
    return `memory at ${(WATCHED_BASE + at).toString(16)}: ours ${ours[at]}, Unicorn ${theirs[at]}`;
  }
}

/** Runs programs until `instructions` are done or the two part. */
export function runLockStep(
  instructions: number,
  seed: number,
  makeEngine: (context: EngineContext) => Engine = (context) => new Interpreter(context),
): LockStepResult {
  const random = new Random(seed);
  const forms = sequenceForms();
  let pair = new Pair(makeEngine);
  let done = 0;
  let programs = 0;
  let divergence: string | null = null;
  while (done < instructions && divergence === null) {
    if (pair.isFull) {
      pair.unicorn.close();
      pair = new Pair(makeEngine);
    }
    const pieces = Array.from({ length: PIECES }, () => drawPiece(random, forms)).flat();
    const result = pair.run(pieces, random);
    done += result.steps;
    programs++;
    if (result.divergence !== null) divergence = `program ${programs} of seed ${seed}\n${result.divergence}`;
  }
  pair.unicorn.close();
  return { instructions: done, programs, divergence };
}
