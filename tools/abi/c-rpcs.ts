/**
 * C stubs of the memory server's operations. Each packs its arguments into the request message, calls, and
 * unpacks the reply; `physmem_invoke` (guest/sdk/ipc.c) does the exchange and keeps the detail of a refusal.
 */
import { RPCS, type RpcDef } from '../../src/abi/rpcs.ts';
import type { ArgumentDef } from '../../src/abi/syscalls.ts';
import { manComment } from './c-comment.ts';
import { cFunction, cIdentifier, isOptional, isVariadic, rpcFunction, targetName } from './names.ts';

const wordParameter = (arg: ArgumentDef): string =>
  isVariadic(arg)
    ? `const uint32_t *${cIdentifier(arg.name)}, uint32_t ${cIdentifier(arg.name)}_count`
    : `uint32_t ${cIdentifier(arg.name)}`;

const resultParameter = (arg: ArgumentDef): string =>
  isVariadic(arg)
    ? `uint32_t *out_${cIdentifier(arg.name)}, uint32_t out_${cIdentifier(arg.name)}_max`
    : `uint32_t *out_${cIdentifier(arg.name)}`;

const functionHead = (rpc: RpcDef): string =>
  cFunction(`int ${rpcFunction(rpc)}`, [
    `slot_t ${targetName(rpc)}`,
    ...rpc.args.map(wordParameter),
    ...rpc.caps.map((cap) => `slot_t ${capName(cap)}`),
    ...rpc.returns.map(resultParameter),
    ...rpc.returnCaps.map((cap) => `slot_t *out_${cIdentifier(cap.name)}`),
  ]);

/** Capability parameters are told apart from word parameters of the same name. */
const capName = (cap: ArgumentDef): string => `${cIdentifier(cap.name)}_slot`;

const howReached = (rpc: RpcDef): string => {
  const needs = rpc.rights.length === 0 ? '' : `; needs ${rpc.rights.join(', ')}`;
  return `Operation ${rpc.op} on a capability of type ${rpc.on.join(' or ')}${needs}`;
};

const rpcPrototype = (rpc: RpcDef): string => {
  const comment = manComment({
    name: rpcFunction(rpc),
    summary: rpc.summary,
    how: howReached(rpc),
    args: [...rpc.args, ...rpc.caps.map((cap) => ({ ...cap, name: capName(cap) }))],
    results: [...rpc.returns, ...rpc.returnCaps].map((item) => ({ ...item, name: `out_${item.name}` })),
    errors: rpc.errors,
  });
  return `${comment}\n${functionHead(rpc)};\n`;
};

const packWord = (arg: ArgumentDef): string => {
  const name = cIdentifier(arg.name);
  return isVariadic(arg)
    ? `  request_words(&request, ${name}, ${name}_count);`
    : `  request_word(&request, ${name});`;
};

const packCap = (cap: ArgumentDef): string => {
  const pack = `request_cap(&request, ${capName(cap)});`;
  return isOptional(cap) ? `  if (${capName(cap)})\n    ${pack}` : `  ${pack}`;
};

const unpackResult = (arg: ArgumentDef, index: number): string => {
  const name = `out_${cIdentifier(arg.name)}`;
  return isVariadic(arg)
    ? `  reply_words(&request, ${index}, ${name}, ${name}_max);`
    : `  reply_word(&request, ${index}, ${name});`;
};

const rpcStub = (rpc: RpcDef): string =>
  [
    `${functionHead(rpc)} {`,
    `  struct request request = REQUEST(${rpc.op});`,
    ...rpc.args.map(packWord),
    ...rpc.caps.map(packCap),
    `  int error = physmem_invoke(${targetName(rpc)}, &request);`,
    ...rpc.returns.map(unpackResult),
    ...rpc.returnCaps.map((cap, index) => `  reply_cap(&request, ${index}, out_${cIdentifier(cap.name)});`),
    '  return error;',
    '}\n',
  ].join('\n');

export const rpcPrototypes = (): string => RPCS.map(rpcPrototype).join('\n');
export const rpcStubs = (): string => RPCS.map(rpcStub).join('\n');
