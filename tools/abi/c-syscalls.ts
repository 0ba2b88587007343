/**
 * C stubs of the system calls. Arguments go in EBX ECX EDX ESI EDI EBP, results come in EAX (errno) and
 * EBX EDX ESI EDI. The sixth argument is pushed first, because GCC can not name EBP as an operand.
 */
import { SYSCALL_VECTOR } from '../../src/abi/message.ts';
import { SYSCALLS, type SyscallDef } from '../../src/abi/syscalls.ts';
import { manComment } from './c-comment.ts';
import { cFunction, cIdentifier } from './names.ts';

const ARGUMENT_REGISTERS = ['ebx', 'ecx', 'edx', 'esi', 'edi', 'ebp'];
const RESULT_REGISTERS = ['ebx', 'edx', 'esi', 'edi'];
const CONSTRAINT: Readonly<Record<string, string>> = { ebx: 'b', ecx: 'c', edx: 'd', esi: 'S', edi: 'D' };

const functionName = (call: SyscallDef): string => `sys_${call.name}`;

const functionHead = (call: SyscallDef): string => {
  const inputs = call.args.map((arg) => `uint32_t ${cIdentifier(arg.name)}`);
  const results = call.returns.map((result) => `uint32_t *out_${cIdentifier(result.name)}`);
  return cFunction(`int ${functionName(call)}`, [...inputs, ...results]);
};

export const syscallPrototype = (call: SyscallDef): string => {
  const comment = manComment({
    name: functionName(call),
    summary: call.summary,
    how: `int 0x${SYSCALL_VECTOR.toString(16)} with EAX = ${call.number}`,
    args: call.args,
    results: call.returns.map((result) => ({ ...result, name: `out_${result.name}` })),
    errors: call.errors,
  });
  return `${comment}\n${functionHead(call)};\n`;
};

export const syscallStub = (call: SyscallDef): string => {
  const inRegisters = call.args.slice(0, 5).map((_, index) => ARGUMENT_REGISTERS[index] ?? '');
  const outRegisters = RESULT_REGISTERS.slice(0, call.returns.length);
  const variables = [...new Set([...inRegisters, ...outRegisters])];
  const declarations = variables.map((register) => {
    const index = inRegisters.indexOf(register);
    const value = index < 0 ? '0' : cIdentifier(call.args[index]?.name ?? '');
    return `  uint32_t ${register} = ${value};`;
  });
  const operands = ['"=a"(error)', ...variables.map((register) => `"+${CONSTRAINT[register]}"(${register})`)];
  const sixth = call.args[5];
  const trap =
    sixth === undefined
      ? '"int %[vector]"'
      : '"pushl %[sixth]\\n\\tpushl %%ebp\\n\\tmovl 4(%%esp), %%ebp\\n\\tint %[vector]\\n\\tpopl %%ebp\\n\\taddl $4, %%esp"';
  const inputs = [`"0"(${call.number})`, '[vector] "i"(SYSCALL_VECTOR)'];
  if (sixth !== undefined) {
    inputs.push(`[sixth] "m"(${cIdentifier(sixth.name)})`);
  }
  const stores = call.returns.map(
    (result, index) =>
      `  if (out_${cIdentifier(result.name)})\n    *out_${cIdentifier(result.name)} = ${RESULT_REGISTERS[index]};`,
  );
  return [
    `${functionHead(call)} {`,
    '  int error;',
    ...declarations,
    `  __asm__ volatile(${trap}`,
    `                   : ${operands.join(', ')}`,
    `                   : ${inputs.join(', ')}`,
    '                   : "memory", "cc");',
    ...stores,
    '  return error;',
    '}\n',
  ].join('\n');
};

export const syscallPrototypes = (): string => SYSCALLS.map(syscallPrototype).join('\n');
export const syscallStubs = (): string => SYSCALLS.map(syscallStub).join('\n');
