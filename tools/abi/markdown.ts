/** docs/abi.md: the pages of every system call and operation, and the layouts, from the ABI data. */
import { readFileSync } from 'node:fs';
import { ERRNOS, REASONS } from '../../src/abi/errno.ts';
import { AREA_WORDS, SYSCALL_VECTOR } from '../../src/abi/message.ts';
import { CAP_TYPE_NAMES, RIGHTS } from '../../src/abi/rights.ts';
import { RPCS, type RpcDef } from '../../src/abi/rpcs.ts';
import { type ArgumentDef, SYSCALLS, type SyscallDef } from '../../src/abi/syscalls.ts';
import { enumConstants } from './constants.ts';
import { isVariadic, rpcFunction } from './names.ts';

const ROOT = new URL('../../', import.meta.url);
const FLAG_ENUM = /\b([A-Z][A-Za-z]+(?:Flag|State))\b/;

const cell = (text: string): string => text.replaceAll('|', '\\|');
const table = (heads: readonly string[], rows: readonly (readonly string[])[]): string =>
  [
    `| ${heads.join(' | ')} |`,
    `| ${heads.map(() => '---').join(' | ')} |`,
    ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`),
    '',
  ].join('\n');

/** The comment at the head of an ABI module, as the layout picture: the source is the only place that holds it. */
const headComment = (path: string): string => {
  const source = readFileSync(new URL(path, ROOT), 'utf8');
  const body = /^\/\*\*\n([\s\S]*?)\*\//.exec(source)?.[1] ?? '';
  const lines = body.split('\n').map((line) => line.replace(/^ \* ?/, ''));
  return `\`\`\`text\n${lines.join('\n').trimEnd()}\n\`\`\`\n`;
};

const ARGUMENT_REGISTERS = ['EBX', 'ECX', 'EDX', 'ESI', 'EDI', 'EBP'];
const RESULT_REGISTERS = ['EBX', 'EDX', 'ESI', 'EDI'];

const registerRows = (defs: readonly ArgumentDef[], registers: readonly string[], way: string): string[][] =>
  defs.map((def, index) => [way, registers[index] ?? '', `\`${def.name}\``, def.meaning]);

const errorsOf = (errors: readonly string[]): string =>
  errors.length === 0 ? 'Errors: none.\n' : `Errors: ${errors.map((name) => `\`${name}\``).join(', ')}.\n`;

const syscallPage = (call: SyscallDef): string =>
  [
    `### ${call.number} · \`sys_${call.name}\`\n`,
    `${call.summary}\n`,
    call.args.length + call.returns.length === 0
      ? 'No arguments, no results.\n'
      : table(
          ['', 'register', 'name', 'meaning'],
          [
            ...registerRows(call.args, ARGUMENT_REGISTERS, 'in'),
            ...registerRows(call.returns, RESULT_REGISTERS, 'out'),
          ],
        ),
    errorsOf(call.errors),
  ].join('\n');

const wordPlace = (def: ArgumentDef, index: number): string =>
  isVariadic(def) ? `word ${index} and on` : `word ${index}`;

const rpcRows = (rpc: RpcDef): string[][] => [
  ...rpc.args.map((def, index) => ['request', wordPlace(def, index), `\`${def.name}\``, def.meaning]),
  ...rpc.caps.map((def, index) => ['request', `item ${index}`, `\`${def.name}\``, def.meaning]),
  ...rpc.returns.map((def, index) => ['reply', wordPlace(def, index), `\`${def.name}\``, def.meaning]),
  ...rpc.returnCaps.map((def, index) => ['reply', `item ${index}`, `\`${def.name}\``, def.meaning]),
];

/** Flag words that a page mentions are spelled out under its table. */
const flagLines = (rpc: RpcDef): string[] => {
  const mentioned = [...rpc.args, ...rpc.returns].flatMap((def) => FLAG_ENUM.exec(def.meaning)?.[1] ?? []);
  return [...new Set(mentioned)].map((name) => {
    const members = enumConstants(name).map((constant) => `\`${constant.name}\` = ${constant.value}`);
    return `${name}: ${members.join(', ')}.\n`;
  });
};

const rpcPage = (rpc: RpcDef): string => {
  const rights = rpc.rights.length === 0 ? 'no particular right' : rpc.rights.join(', ');
  return [
    `### ${rpc.op} · \`${rpcFunction(rpc)}\`\n`,
    `${rpc.summary}\n`,
    `On: ${rpc.on.join(', ')}. Rights: ${rights}.\n`,
    rpcRows(rpc).length === 0
      ? 'The request and the reply are empty.\n'
      : table(['message', 'place', 'name', 'meaning'], rpcRows(rpc)),
    ...flagLines(rpc),
    errorsOf(rpc.errors),
  ].join('\n');
};

export const abiPage = (): string =>
  [
    '<!-- Generated from src/abi by tools/build-abi.ts; do not edit. -->\n',
    '# The binary interface\n',
    'What crosses the line between a task, the microkernel and the memory server: system calls, messages,',
    'operations, errors. The guest SDK (`guest/sdk`) wraps all of it in C functions of the same names.\n',
    '## Messages, slots, addresses\n',
    headComment('src/abi/message.ts'),
    '## The boot page\n',
    headComment('src/abi/boot-page.ts'),
    '## System calls\n',
    `A system call is \`int 0x${SYSCALL_VECTOR.toString(16)}\` with its number in EAX; EAX returns an errno.`,
    `Message words 0 and 1 travel in registers, the others in the message area (word n at area word ${AREA_WORDS} + n).\n`,
    ...SYSCALLS.map(syscallPage),
    '## Operations of the memory server\n',
    headComment('src/abi/rpcs.ts'),
    ...RPCS.map(rpcPage),
    '## Capability types and rights\n',
    table(
      ['type', 'right', 'bit', 'letter'],
      RIGHTS.map((right) => [
        CAP_TYPE_NAMES[right.type] ?? '',
        right.name,
        `0x${right.bit.toString(16)}`,
        `\`${right.letter}\``,
      ]),
    ),
    'A limited capability has the rights of a container, without those that allocate, free or destroy.\n',
    '## Errors\n',
    table(
      ['value', 'name', 'meaning'],
      ERRNOS.map((def) => [`${def.value}`, `\`${def.name}\``, def.meaning]),
    ),
    '## Reasons\n',
    'Word 1 of a refusal; `%a` is word 2, the argument to blame (capability items are counted after the words);',
    '`%l` is word 3, the limit that was hit; `%r` are the rights whose bits word 3 has.\n',
    table(
      ['value', 'name', 'sentence'],
      REASONS.map((def) => [`${def.value}`, `\`${def.name}\``, def.sentence]),
    ),
  ].join('\n');
