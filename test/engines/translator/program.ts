/**
 * Random 32-bit programs for lock-step runs of two engines: functions with loops, forward branches, calls and returns,
 * most integer instructions in most operand shapes, stores into their own code. Pointers (EBX, ESI, EDI, ESP) are only
 * moved a little, so that a program gets somewhere before it faults; everything else is free to go wrong.
 */
import { le, type Random } from '../../../tools/vectors/random.ts';

/** Linear addresses of a program's world (world.ts maps them). */
export const CODE = 0x00400000;
export const CODE_BYTES = 0x4000;
export const DATA = 0x00500000;
export const DATA_PAGES = 16;
/** Pages behind the data: read-only, absent, device, and the first code page again. */
export const READ_ONLY = DATA + DATA_PAGES * 4096;
export const ABSENT = READ_ONLY + 4096;
export const DEVICE = ABSENT + 4096;
export const CODE_ALIAS = DEVICE + 4096;
export const STACK = 0x00600000;
export const STACK_TOP = STACK + 0x3000;

const EAX = 0;
const ECX = 1;
const EDX = 2;
const EBP = 5;
/** Registers that results go to. */
const FREE = [EAX, ECX, EDX, EBP];
const POINTERS = [3, 6, 7];
const ODD_PLACES = [READ_ONLY + 8, ABSENT + 16, DEVICE, CODE_ALIAS + 0x20, READ_ONLY - 2, DATA + 4094];

const alu = (n: number): number => n * 8;

export type Temper = 'wild' | 'defined' | 'steady';

/** Most rounds of a loop. */
const ROUNDS = { wild: 12, defined: 12, steady: 4000 };

/** Writes one program. */
export class ProgramWriter {
  private readonly bytes: number[] = [];
  private readonly functions: number[] = [];
  /** Addresses of immediates that may be overwritten. */
  private readonly soft: number[] = [];

  /**
   * `temper`: wild programs fault, trap and rewrite themselves; defined ones too, but all flags that they use are defined,
   * AF left out; steady ones run for a long time.
   */
  constructor(
    private readonly random: Random,
    private readonly temper: Temper,
  ) {}

  /** Bytes for CODE, and page offsets where a run can start. */
  write(): { code: Uint8Array; starts: number[] } {
    while (this.bytes.length < CODE_BYTES - 700) {
      // Functions of one page know each other; some begin near the end of a page.
      if (this.random.chance(15)) this.pad();
      this.writeFunction();
    }
    const code = new Uint8Array(CODE_BYTES).fill(0xcc);
    code.set(this.bytes);
    return { code, starts: this.functions };
  }

  private emit(...bytes: number[]): void {
    this.bytes.push(...bytes);
  }

  private get here(): number {
    return CODE + this.bytes.length;
  }

  private pad(): void {
    const rest = 4096 - (this.bytes.length & 4095);
    if (rest < 500) for (let n = this.random.below(rest); n > 0; n--) this.emit(0x90);
  }

  private writeFunction(): void {
    this.functions.push(this.bytes.length);
    const { random } = this;
    if (random.chance(40)) this.emit(0x55, 0x89, 0xe5);
    const framed = this.bytes[this.bytes.length - 1] === 0xe5;
    for (let n = 2 + random.below(5); n > 0; n--) this.writePart(2);
    if (framed && random.chance(60)) this.emit(0x89, 0xec, 0x5d);
    else if (framed) this.emit(0x83, 0xc4, 0x04);
    if (random.chance(10)) this.emit(0xc2, 0, 0);
    else this.emit(0xc3);
  }

  private writePart(depth: number): void {
    const { random } = this;
    const kind = random.below(10);
    if (kind < 4 || depth === 0) for (let n = 1 + random.below(6); n > 0; n--) this.instruction();
    else if (kind < 6) this.countedLoop(depth);
    else if (kind < 8) this.branchOver(depth);
    else if (kind < 9) this.call();
    else if (this.temper !== 'steady') this.special();
    else this.instruction();
  }

  /** A loop with its counter on the stack or in EBP. */
  private countedLoop(depth: number): void {
    const { random } = this;
    const inRegister = random.chance(50);
    const count = 1 + random.below(ROUNDS[this.temper]);
    if (inRegister) this.emit(0xbd, ...le(count, 4));
    else this.emit(0x68, ...le(count, 4));
    const top = this.here;
    for (let n = 1 + random.below(2); n > 0; n--) this.writePart(depth - 1);
    if (inRegister && random.chance(50)) this.emit(0x4d);
    else if (inRegister) this.emit(0x83, 0xed, 0x01);
    else this.emit(0xff, 0x0c, 0x24);
    this.jumpBack(random.pick([0x85, 0x8f]), top);
    if (!inRegister) this.emit(0x83, 0xc4, 0x04);
  }

  private jumpBack(condition: number, to: number): void {
    const distance = to - (this.here + 2);
    if (distance >= -128) this.emit(condition - 0x10, distance & 0xff);
    else this.emit(0x0f, condition, ...le(to - (this.here + 6), 4));
  }

  private branchOver(depth: number): void {
    const condition = this.random.below(16);
    const isNear = this.random.chance(50);
    if (this.random.chance(70)) this.emit(0x39 + this.random.below(2) * 2, this.registers());
    const at = this.bytes.length;
    this.emit(...(isNear ? [0x0f, 0x80 + condition, 0, 0, 0, 0] : [0xeb, 0]));
    this.writePart(depth - 1);
    const length = isNear ? 6 : 2;
    const distance = this.bytes.length - at - length;
    if (isNear) this.bytes.splice(at + 2, 4, ...le(distance, 4));
    else if (distance > 127) this.bytes.splice(at, 2, 0x90, 0x90);
    else this.bytes.splice(at, 2, this.random.chance(90) ? 0x70 + condition : 0xeb, distance);
  }

  private call(): void {
    const target = CODE + this.random.pick(this.functions);
    const kind = this.random.below(8);
    if (kind < 6) this.emit(0xe8, ...le(target - (this.here + 5), 4));
    else if (kind === 6) this.emit(0xb8, ...le(target, 4), 0xff, 0xd0);
    else this.emit(0x68, ...le(target, 4), 0xff, 0x14, 0x24, 0x83, 0xc4, 0x04);
  }

  /** ModRM byte for two free registers. */
  private registers(): number {
    return 0xc0 | (this.random.pick(FREE) << 3) | this.random.pick(FREE);
  }

  /** ModRM and what follows, with `reg` in the reg field: a register, or memory near a pointer, seldom elsewhere. */
  private operand(reg: number): number[] {
    const { random } = this;
    if (random.chance(45)) return [0xc0 | (reg << 3) | random.pick(FREE)];
    const isWild = this.temper !== 'steady';
    if (isWild && random.chance(4)) return [(reg << 3) | 5, ...le(random.pick(ODD_PLACES), 4)];
    if (random.chance(10)) return [(reg << 3) | 5, ...le(DATA + random.below(DATA_PAGES * 4096), 4)];
    if (random.chance(10)) return [0x44 | (reg << 3), 0x24, random.below(5) * 4];
    const base = random.pick(POINTERS);
    if (random.chance(15)) {
      // [base + EDX × scale] with EDX made small before.
      this.emit(0x0f, 0xb6, 0xd2);
      return [0x84 | (reg << 3), (random.below(4) << 6) | (EDX << 3) | base, ...le(random.below(64), 4)];
    }
    if (random.chance(60)) return [0x40 | (reg << 3) | base, random.below(120)];
    return [0x80 | (reg << 3) | base, ...le(random.below(3000), 4)];
  }

  private instruction(): void {
    const { random } = this;
    const group = random.pick(GROUPS_OF[this.temper]);
    const prefix = random.chance(6) ? [0x66] : [];
    const reg = random.pick(FREE);
    this.emitGroup(group, prefix, reg);
  }

  private emitGroup(group: string, prefix: number[], reg: number): void {
    const { random } = this;
    const wide = random.chance(75) ? 1 : 0;
    // The operand may emit an instruction before this one: so it is drawn first.
    const rm = this.operand(reg);
    const rmOf = (field: number): number[] => [(rm[0]! & 0xc7) | (field << 3), ...rm.slice(1)];
    const immediate = (): number[] =>
      wide === 0 ? random.bytes(1) : random.bytes(prefix.length > 0 ? 2 : 4);
    const isRegister = rm[0]! >= 0xc0;
    switch (group) {
      case 'alu':
        this.emit(...prefix, alu(random.below(8)) + (random.chance(50) ? 2 : 0) + wide, ...rm);
        return;
      case 'alu imm':
        if (wide === 1 && random.chance(50)) {
          this.emit(...prefix, 0x83, ...rmOf(random.below(8)), ...random.bytes(1));
        } else this.emit(...prefix, 0x80 + wide, ...rmOf(random.below(8)), ...immediate());
        return;
      case 'test':
        this.emit(...prefix, 0x84 + wide, ...rm);
        return;
      case 'mov':
        this.emit(...prefix, 0x88 + (random.chance(50) ? 2 : 0) + wide, ...rm);
        return;
      case 'mov imm':
        if (isRegister && wide === 1) {
          this.emit(0xb8 + reg, ...le(random.operand(32), 4));
          this.soft.push(this.here - 4);
        } else this.emit(...prefix, 0xc6 + wide, ...rmOf(0), ...immediate());
        return;
      case 'extend':
        this.emit(...prefix, 0x0f, random.pick([0xb6, 0xb7, 0xbe, 0xbf]), ...rm);
        return;
      case 'step':
        if (isRegister && random.chance(70)) this.emit(...prefix, 0x40 + random.below(2) * 8 + reg);
        else this.emit(...prefix, 0xfe + wide, ...rmOf(random.below(2)));
        return;
      case 'unary':
        this.emit(
          ...prefix,
          0xf6 + wide,
          ...rmOf(2 + random.below(this.temper === 'wild' && random.chance(20) ? 6 : 4)),
        );
        return;
      case 'shift': {
        const form = random.below(3);
        const opcode = [0xc0, 0xd0, 0xd2][form]! + wide;
        this.emit(...prefix, opcode, ...rmOf(random.below(8)), ...(form === 0 ? [random.below(40)] : []));
        return;
      }
      case 'imul':
        if (random.chance(50)) this.emit(...prefix, 0x0f, 0xaf, ...rm);
        else this.emit(...prefix, 0x6b, ...rm, ...random.bytes(1));
        return;
      case 'condition':
        if (random.chance(50)) this.emit(0x0f, 0x90 + random.below(16), ...rmOf(0));
        else this.emit(...prefix, 0x0f, 0x40 + random.below(16), ...rm);
        return;
      case 'exchange':
        this.emit(
          ...(isRegister || random.chance(50) ? [] : [0xf0]),
          ...random.pick([[0x86 + wide], [0x0f, 0xb0 + wide], [0x0f, 0xc0 + wide]]),
          ...rm,
        );
        return;
      case 'bits':
        this.emit(
          ...prefix,
          0x0f,
          random.pick(isRegister ? [0xa3, 0xab, 0xb3, 0xbb, 0xbc, 0xbd] : [0xbc, 0xbd]),
          ...rm,
        );
        return;
      case 'double shift':
        if (random.chance(50)) this.emit(...prefix, 0x0f, random.pick([0xa4, 0xac]), ...rm, random.below(40));
        else this.emit(...prefix, 0x0f, random.pick([0xa5, 0xad]), ...rm);
        return;
      case 'bit':
        this.emit(...prefix, 0x0f, 0xba, ...rmOf(4 + random.below(4)), random.below(64));
        return;
      case 'bit string':
        // The bit number is small, so that the word is near the operand.
        this.emit(0x0f, 0xb6, 0xc0 | (reg << 3) | reg, 0x0f, random.pick([0xa3, 0xab, 0xb3, 0xbb]), ...rm);
        return;
      case 'string':
        this.emit(...prefix, random.pick([0xa4, 0xa6, 0xaa, 0xac, 0xae]) + wide);
        return;
      case 'defined':
        this.emit(
          ...random.pick([
            [0x50 + reg, 0x58 + random.pick(FREE)],
            ...[
              [0x6a, 5, 0x58 + reg],
              [0x60, 0x61],
              [0x98],
              [0x99],
              [0x0f, 0xc8 + reg],
              [0xf8],
              [0xf9],
              [0xf5],
            ],
            ...[[0x90], [0x91], [0xfc]],
          ]),
        );
        return;
      case 'lea':
        if (!isRegister) this.emit(0x8d, ...rm);
        return;
      case 'stack':
        this.emit(
          ...random.pick([
            [0x50 + reg, 0x58 + random.pick(FREE)],
            [0x9c, 0x9d],
            [0x6a, 5, 0x58 + reg],
          ]),
        );
        return;
      case 'pointer': {
        const pointer = random.pick(POINTERS);
        this.emit(0x83, 0xc0 | (random.chance(50) ? 0 : 5 << 3) | pointer, random.below(100));
        return;
      }
      default:
        this.emit(
          ...random.pick([
            [0x98],
            [0x99],
            [0x0f, 0xc8 + reg],
            [0xf8],
            [0xf9],
            [0xf5],
            [0x9f],
            [0x9e],
            [0xd6],
            [0x90],
            [0x27],
            [0x91],
            [0xfc],
          ]),
        );
    }
  }

  /** What is rare: strings, stores into code, time stamps, traps, far-away or misaligned data. */
  private special(): void {
    const { random } = this;
    const target = this.soft.length > 0 ? random.pick(this.soft) : CODE + 0x100;
    this.emit(
      ...random.pick([
        [0xb9, ...le(random.below(30), 4), 0xf3, random.pick([0xa4, 0xa5, 0xaa, 0xab])],
        [0xb9, ...le(random.below(30), 4), random.pick([0xf2, 0xf3]), random.pick([0xa6, 0xa7, 0xae, 0xaf])],
        [0xfd, random.pick([0xa4, 0xa5, 0xaa, 0xac]), 0xfc],
        [0xc7, 0x05, ...le(target, 4), ...le(random.operand(32), 4)],
        [0xc6, 0x05, ...le(target, 4), random.below(256)],
        [0x0f, 0x31],
        [0xcd, 0x80],
        [0x0f, 0xa2],
        [0x65, 0x8b, 0x43, 4],
        [0x67, 0x8b, 0x46, 0],
        [0x8b, 0x15, ...le(DEVICE + 4, 4)],
        [0x89, 0x15, ...le(DEVICE + 8, 4)],
        [0xa1, ...le(DATA + 4093, 4)],
        [0xa3, ...le(DATA + 8190, 4)],
        [0xff, 0x35, ...le(DATA + 4096 * random.below(DATA_PAGES), 4), 0x58],
        [0xe3, 0x01, 0x90],
        [0xb9, 3, 0, 0, 0, 0x40, 0xe2, 0xfd],
        [0x60, 0x61],
        [0x8d, 0x9b, ...le(random.below(0x2000) - 0x1000, 4)],
      ]),
    );
  }
}

const GROUPS = [
  ...[
    'alu',
    'alu',
    'alu',
    'alu imm',
    'alu imm',
    'test',
    'mov',
    'mov',
    'mov',
    'mov imm',
    'extend',
    'step',
    'step',
  ],
  ...['double shift', 'bit', 'bit string', 'string'],
  ...['unary', 'shift', 'shift', 'imul', 'condition', 'exchange', 'bits', 'lea', 'stack', 'pointer', 'other'],
];
/** Without those that move pointers: after thousands of rounds they would point anywhere. */
const STEADY_GROUPS = GROUPS.filter((group) => group !== 'pointer' && group !== 'string');
/** Groups that leave no flag but AF undefined, and do not store it. */
const DEFINED_GROUPS = [
  ...[
    'alu',
    'alu imm',
    'test',
    'mov',
    'mov',
    'mov',
    'mov imm',
    'extend',
    'step',
    'string',
    'condition',
    'exchange',
  ],
  ...['lea', 'pointer', 'defined', 'defined'],
];
const GROUPS_OF = { wild: GROUPS, defined: DEFINED_GROUPS, steady: STEADY_GROUPS };
