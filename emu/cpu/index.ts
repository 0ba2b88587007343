/** What other rooms import from emu/cpu. */
export type { EngineContext } from './context.ts';
export { type Disassembled, disassemble, type Syntax } from './disassemble.ts';
export { Interpreter } from './interpreter.ts';
export { opcodeBytes } from './opcode-bytes.ts';
export { CPU_SIGNATURE, resetCore, startCore } from './reset.ts';
export { Translator, type TranslatorOptions } from './translator/translator.ts';
export type { UnicornLibrary } from './unicorn/unicorn-api.ts';
export { UnicornEngine } from './unicorn/unicorn-engine.ts';
