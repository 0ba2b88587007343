/**
 * A page walk explained step by step: the physical address of each entry, its bits, and the rule that decided
 * (machine.md §3). The facts come from emu/mem/walk.ts; this gives them their words.
 */
import { PF_FETCH, PF_PRESENT, PF_RESERVED, PF_USER, PF_WRITE } from '../../emu/arch/paging.ts';
import type { WalkExplanation, WalkStep } from '../../emu/mem/index.ts';
import { hex32 } from './number-format.ts';

/** Bits of an entry from 8 down to 0, as a string like `G--DA--UWP`; `-` is clear. */
const BIT_LETTERS: readonly (readonly [number, string])[] = [
  [8, 'G'],
  [7, 'S'],
  [6, 'D'],
  [5, 'A'],
  [4, 'C'],
  [3, 'T'],
  [2, 'U'],
  [1, 'W'],
  [0, 'P'],
];

export const pteBits = (value: number): string =>
  BIT_LETTERS.map(([bit, letter]) => (((value >>> bit) & 1) === 1 ? letter : '-')).join('');

/** The words of a #PF error code: `write, user, present`. */
export function pageFaultWords(errorCode: number): string {
  const words = [
    (errorCode & PF_FETCH) !== 0 ? 'fetch' : (errorCode & PF_WRITE) !== 0 ? 'write' : 'read',
    (errorCode & PF_USER) !== 0 ? 'user' : 'supervisor',
    (errorCode & PF_PRESENT) !== 0 ? 'present' : 'not present',
  ];
  if ((errorCode & PF_RESERVED) !== 0) words.push('reserved bit');
  return words.join(', ');
}

/** A line per step, then the outcome. */
export function walkText(walk: WalkExplanation): string {
  const lines = [`walk of ${hex32(walk.va)}`, ...walk.steps.map((step) => stepText(step, walk.va))];
  if (walk.pa !== null) lines.push(`  OK: ${hex32(walk.va)} => ${hex32(walk.pa)} (${walk.rule})`);
  else
    lines.push(
      `  PAGE FAULT: ${walk.rule}; error code ${walk.errorCode} (${pageFaultWords(walk.errorCode ?? 0)})`,
    );
  return `${lines.join('\n')}\n`;
}

function stepText(step: WalkStep, va: number): string {
  const index = step.level === 'pde' ? va >>> 22 : (va >>> 12) & 1023;
  const name = `${step.level.toUpperCase()} ${index}`.padEnd(8);
  const target = !step.present
    ? 'not present'
    : step.largePage
      ? `4 MiB page at ${hex32(step.value & 0xffc00000)}`
      : `${step.level === 'pde' ? 'table' : 'page'} at ${hex32(step.value & 0xfffff000)}`;
  return `  ${name} at ${hex32(step.entryPa)} = ${hex32(step.value)} ${pteBits(step.value)}  ${target}`;
}
