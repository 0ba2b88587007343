/**
 * Collects every constant of the ABI modules by reflection: numbers become #defines, enums become groups of them.
 * A new exported constant or enum of these modules reaches guest/sdk/abi.h without any change here.
 */
import * as bootPage from '../../src/abi/boot-page.ts';
import * as errno from '../../src/abi/errno.ts';
import * as message from '../../src/abi/message.ts';
import * as rights from '../../src/abi/rights.ts';
import * as rpcs from '../../src/abi/rpcs.ts';
import * as syscalls from '../../src/abi/syscalls.ts';
import { enumPrefix } from './names.ts';

export interface Constant {
  readonly name: string;
  readonly value: number;
}
export interface ConstantGroup {
  readonly title: string;
  readonly constants: readonly Constant[];
}

const MODULES: readonly (readonly [string, object])[] = [
  ['Errors', errno],
  ['Capability types, rights and flags', rights],
  ['System calls', syscalls],
  ['Operations of the memory server', rpcs],
  ['Messages, slots and the address map', message],
  ['The boot page and the first stack', bootPage],
];

const isEnum = (value: unknown): value is Record<string, number | string> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const enumMembers = (enumName: string, members: Record<string, number | string>): Constant[] =>
  Object.entries(members)
    .filter((entry): entry is [string, number] => typeof entry[1] === 'number')
    .map(([member, value]) => ({ name: enumPrefix(enumName) + member, value }));

/** Sorted by name: the order of a module's exports differs between loaders. */
const moduleConstants = (exports: object): Constant[] => {
  const plain: Constant[] = [];
  const enums: Constant[] = [];
  const byName = Object.entries(exports).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, value] of byName) {
    if (typeof value === 'number') {
      plain.push({ name, value });
    } else if (isEnum(value)) {
      enums.push(...enumMembers(name, value));
    }
  }
  return [...enums, ...plain];
};

export const constantGroups = (): ConstantGroup[] =>
  MODULES.map(([title, exports]) => ({ title, constants: moduleConstants(exports) }));

/** The members of one enum of the ABI modules as constants, by its TypeScript name. */
export const enumConstants = (enumName: string): Constant[] => {
  for (const [, exports] of MODULES) {
    const found = (exports as Record<string, unknown>)[enumName];
    if (isEnum(found)) {
      return enumMembers(enumName, found);
    }
  }
  throw new Error(`the ABI has no enum ${enumName}`);
};
