/**
 * How names of the ABI data become C names: one rule for all, so that a new operation, flag or right needs no code
 * here. Kernel calls are `sys_x`; operations of the server keep their own name when it begins with the object
 * (`container_map`), otherwise they get the prefix `physmem_`.
 */
import type { RpcDef } from '../../src/abi/rpcs.ts';
import type { ArgumentDef } from '../../src/abi/syscalls.ts';

const OBJECT_PREFIX = /^(physmem|control|container|limited|pin)_/;

export const rpcFunction = (rpc: RpcDef): string =>
  OBJECT_PREFIX.test(rpc.name) ? rpc.name : `physmem_${rpc.name}`;

/** The parameter that carries the invoked capability. */
export const targetName = (rpc: RpcDef): string => rpc.on[0] ?? 'target';

/** A variadic tail (`state…`): the rest of the message's words. */
export const isVariadic = (arg: ArgumentDef): boolean => arg.name.endsWith('…');
export const isOptional = (arg: ArgumentDef): boolean => /^optional\b/.test(arg.meaning);

export const cIdentifier = (name: string): string => name.replace('…', '').replace(/[^A-Za-z0-9_]/g, '_');

const snake = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase();

/** Prefix of the C constants of an enum: `CopyFlag` → `COPY_`, `ContainerRight` → `CONTAINER_`, `Errno` → ``. */
export const enumPrefix = (enumName: string): string =>
  enumName === 'Errno' ? '' : `${snake(enumName.replace(/(Flag|State|Right|Type)$/, ''))}_`;

/** Hexadecimal for masks and addresses, decimal for small counts. */
export const cNumber = (value: number): string => {
  const unsigned = value >>> 0;
  return unsigned >= 0x400 ? `0x${unsigned.toString(16).padStart(8, '0')}u` : `${unsigned}`;
};

/** Breaks a text into lines of at most `width` columns. */
export const wrap = (text: string, width: number): string[] => {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/[ \n]+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  if (line !== '') {
    lines.push(line);
  }
  return lines;
};

/** A C function head, broken before a parameter when it is longer than 100 columns. */
export const cFunction = (head: string, parameters: readonly string[]): string => {
  const lines = wrap(
    (parameters.join(', ') || 'void').replaceAll(' *', '\u00a0*').replace(/(\w) (\w)/g, '$1\u00a0$2'),
    96 - head.length,
  );
  return `${head}(${lines.join(`\n${' '.repeat(head.length + 1)}`)})`.replaceAll('\u00a0', ' ');
};
