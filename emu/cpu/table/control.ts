/** Table lines: transfers, flags, system instructions (SDM vol. 2 app. A). */
import * as ctl from '../exec/control.ts';
import * as sel from '../exec/selectors.ts';
import * as sys from '../exec/system.ts';
import { CONDITIONS } from './conditions.ts';
import { type Definition, define } from './definition.ts';

const conditionLines = CONDITIONS.flatMap((name, code): Definition[] => [
  define(0x70 + code, `j${name}`, 'Jb', ctl.jcc(code), { size: 'v' }),
  define(0x0f80 + code, `j${name}`, 'Jv', ctl.jcc(code)),
]);

const x87Lines = [0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf].map((opcode) =>
  define(opcode, 'x87', 'E', ctl.x87),
);

/** Long NOPs: 0F 1F is official, 0F 18..1E are hints (prefetches) that a processor may ignore. */
const hintLines = [0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f].map((low) =>
  define(0x0f00 + low, 'nop', 'Ev', ctl.nop),
);

/** CR0, CR2, CR3, CR4. */
const CONTROL_REGISTERS = 0x1d;

export const CONTROL: readonly Definition[] = [
  ...conditionLines,
  ...x87Lines,
  ...hintLines,
  define(0x90, 'nop', '', ctl.nop),
  define(0x9b, 'wait', '', ctl.wait),
  define(0xe0, 'loopne', 'Jb', ctl.loopne, { size: 'v' }),
  define(0xe1, 'loope', 'Jb', ctl.loope, { size: 'v' }),
  define(0xe2, 'loop', 'Jb', ctl.loop, { size: 'v' }),
  define(0xe3, 'jecxz', 'Jb', ctl.jcxz, { size: 'v' }),
  define(0xe8, 'call', 'Jv', ctl.callRel, { ends: true }),
  define(0xe9, 'jmp', 'Jv', ctl.jmpRel, { ends: true }),
  define(0xeb, 'jmp', 'Jb', ctl.jmpRel, { size: 'v', ends: true }),
  define(0xff, 'call', 'Ev', ctl.callRm, { ext: 2, ends: true }),
  define(0xff, 'call', 'Mp', ctl.callFarMem, { ext: 3, mod: 'mem', size: 'v', ends: true }),
  define(0xff, 'jmp', 'Ev', ctl.jmpRm, { ext: 4, ends: true }),
  define(0xff, 'jmp', 'Mp', ctl.jmpFarMem, { ext: 5, mod: 'mem', size: 'v', ends: true }),
  define(0x9a, 'call', 'Ap', ctl.callFar, { size: 'v', ends: true }),
  define(0xea, 'jmp', 'Ap', ctl.jmpFar, { size: 'v', ends: true }),
  define(0xc2, 'ret', 'Iw', ctl.ret, { size: 'v', ends: true }),
  define(0xc3, 'ret', '', ctl.ret, { size: 'v', ends: true }),
  define(0xca, 'retf', 'Iw', ctl.retFar, { size: 'v', ends: true }),
  define(0xcb, 'retf', '', ctl.retFar, { size: 'v', ends: true }),
  define(0xcf, 'iretw|iretd', '', ctl.iret, { size: 'v', ends: true }),
  define(0xcc, 'int3', '', ctl.int3),
  define(0xcd, 'int', 'Ib', ctl.intN),
  define(0xce, 'into', '', ctl.into),
  define(0xf1, 'int1', '', ctl.int1),
  define(0xf4, 'hlt', '', ctl.hlt),
  define(0xf5, 'cmc', '', ctl.cmc),
  define(0xf8, 'clc', '', ctl.clc),
  define(0xf9, 'stc', '', ctl.stc),
  define(0xfa, 'cli', '', ctl.cli),
  define(0xfb, 'sti', '', ctl.sti),
  define(0xfc, 'cld', '', ctl.cld),
  define(0xfd, 'std', '', ctl.std),
  define(0x9c, 'pushfw|pushfd', '', ctl.pushf, { size: 'v' }),
  define(0x9d, 'popfw|popfd', '', ctl.popf, { size: 'v' }),
  define(0x9e, 'sahf', '', ctl.sahf),
  define(0x9f, 'lahf', '', ctl.lahf),
  define(0x0f0b, 'ud2', '', ctl.ud, { ends: true }),
  define(0x0fb9, 'ud1', 'Gv,Ev', ctl.ud),
  define(0x63, 'arpl', 'Ew,Gw', sel.arpl),
  define(0x0f00, 'sldt', 'Ek', sel.sldt, { ext: 0 }),
  define(0x0f00, 'str', 'Ek', sel.str, { ext: 1 }),
  define(0x0f00, 'lldt', 'Ew', sel.lldt, { ext: 2 }),
  define(0x0f00, 'ltr', 'Ew', sel.ltr, { ext: 3 }),
  define(0x0f00, 'verr', 'Ew', sel.verr, { ext: 4 }),
  define(0x0f00, 'verw', 'Ew', sel.verw, { ext: 5 }),
  define(0x0f01, 'sgdt', 'Ms', sys.sgdt, { ext: 0, mod: 'mem', size: 'v' }),
  define(0x0f01, 'sidt', 'Ms', sys.sidt, { ext: 1, mod: 'mem', size: 'v' }),
  define(0x0f01, 'lgdt', 'Ms', sys.lgdt, { ext: 2, mod: 'mem', size: 'v' }),
  define(0x0f01, 'lidt', 'Ms', sys.lidt, { ext: 3, mod: 'mem', size: 'v' }),
  define(0x0f01, 'smsw', 'Ek', sys.smsw, { ext: 4 }),
  define(0x0f01, 'lmsw', 'Ew', sys.lmsw, { ext: 6 }),
  define(0x0f01, 'invlpg', 'M', sys.invlpg, { ext: 7, mod: 'mem' }),
  define(0x0f02, 'lar', 'Gv,Ew', sel.lar),
  define(0x0f03, 'lsl', 'Gv,Ew', sel.lsl),
  define(0x0f06, 'clts', '', sys.clts),
  define(0x0f08, 'invd', '', sys.cacheFlush),
  define(0x0f09, 'wbinvd', '', sys.cacheFlush),
  define(0x0f20, 'mov', 'Rd,Cd', sys.movFromCr, { regs: CONTROL_REGISTERS }),
  define(0x0f21, 'mov', 'Rd,Dd', sys.movFromDr),
  define(0x0f22, 'mov', 'Cd,Rd', sys.movToCr, { regs: CONTROL_REGISTERS }),
  define(0x0f23, 'mov', 'Dd,Rd', sys.movToDr),
  define(0x0f30, 'wrmsr', '', sys.wrmsr),
  define(0x0f31, 'rdtsc', '', sys.rdtsc),
  define(0x0f32, 'rdmsr', '', sys.rdmsr),
  define(0x0fa2, 'cpuid', '', sys.cpuid),
];
