/** The files that are generated from src/abi: path in the repository → text. */
import { ERRNOS, REASONS } from '../../src/abi/errno.ts';
import { CAP_TYPE_NAMES, RIGHTS } from '../../src/abi/rights.ts';
import { RPCS } from '../../src/abi/rpcs.ts';
import { rpcPrototypes, rpcStubs } from './c-rpcs.ts';
import { syscallPrototypes, syscallStubs } from './c-syscalls.ts';
import { constantGroups } from './constants.ts';
import { abiPage } from './markdown.ts';
import { cIdentifier, cNumber, rpcFunction } from './names.ts';

const C_HEAD = '/* Generated from src/abi by tools/build-abi.ts; do not edit. */\n';

const abiHeader = (): string => {
  const groups = constantGroups().map(({ title, constants }) => {
    const lines = constants.map(({ name, value }) => `#define ${name.padEnd(30)} ${cNumber(value)}`);
    return `/* ${title} */\n${lines.join('\n')}\n`;
  });
  return `${C_HEAD}#ifndef ABI_H\n#define ABI_H\n\n${groups.join('\n')}\n#endif\n`;
};

const stubsHeader = (): string =>
  `${C_HEAD}#ifndef STUBS_H\n#define STUBS_H\n\n#include "abi.h"\n#include <stdint.h>\n
/* A slot word: index and generation of an entry of the task's capability table; 0 names nothing. */
typedef uint32_t slot_t;

/* ---- System calls of the microkernel: return 0 or an errno ---- */

${syscallPrototypes()}
/* ---- Operations of the memory server: return 0 or an errno; explain() tells the detail of a refusal ---- */

${rpcPrototypes()}
#endif\n`;

const cString = (text: string): string => JSON.stringify(text);

const namesSource = (): string => {
  const errnos = ERRNOS.map((def) => `    {${def.value}, ${cString(def.name)}, ${cString(def.meaning)}},`);
  const reasons = REASONS.map((def) => `    [${def.value}] = ${cString(def.sentence)},`);
  const rights = RIGHTS.map(
    (right) => `    {${right.type}, 0x${right.bit.toString(16)}, ${cString(right.name)}},`,
  );
  const operations = RPCS.map((rpc) => {
    const args = [...rpc.args, ...rpc.caps].map((arg) => `${cIdentifier(arg.name)} `).join('');
    const types = rpc.on.reduce((mask, name) => mask | (1 << CAP_TYPE_NAMES.indexOf(name)), 0);
    const element = rpc.list?.words ?? 0;
    const words = rpc.args.length + (rpc.list === undefined ? 0 : element - 1);
    const shape = `${words}, ${element}, ${rpc.caps.length}`;
    return `    {${rpc.op}, 0x${types.toString(16)}, ${shape}, ${cString(rpcFunction(rpc))}, ${cString(args)}},`;
  });
  return [
    C_HEAD,
    '#include "names.h"\n',
    `const struct errno_name errno_names[] = {\n${errnos.join('\n')}\n};`,
    `const unsigned errno_name_count = ${ERRNOS.length};\n`,
    `const char *const reason_sentences[] = {\n${reasons.join('\n')}\n};`,
    'const unsigned reason_sentence_count = sizeof reason_sentences / sizeof reason_sentences[0];\n',
    `const struct right_name right_names[] = {\n${rights.join('\n')}\n};`,
    `const unsigned right_name_count = ${RIGHTS.length};\n`,
    `const struct operation_name operation_names[] = {\n${operations.join('\n')}\n};`,
    `const unsigned operation_name_count = ${RPCS.length};\n`,
  ].join('\n');
};

export const abiFiles = (): ReadonlyMap<string, string> =>
  new Map([
    ['guest/sdk/abi.h', abiHeader()],
    ['guest/sdk/stubs.h', stubsHeader()],
    ['guest/sdk/syscalls.c', `${C_HEAD}#include "stubs.h"\n\n${syscallStubs()}`],
    ['guest/sdk/stubs.c', `${C_HEAD}#include "request.h"\n#include "stubs.h"\n\n${rpcStubs()}`],
    ['guest/sdk/names.c', namesSource()],
    ['docs/abi.md', abiPage()],
  ]);
