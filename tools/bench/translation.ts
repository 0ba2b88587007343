/**
 * What the translator itself costs: making the engine, and instructions of fresh code per second from bytes to
 * translated code that has run once. Half of the instructions have a memory operand; each page is one region.
 */
import { DEFAULT_COSTS } from '../../emu/arch/cost.ts';
import { Translator } from '../../emu/cpu/index.ts';
import { CODE, CoreWorld } from './core-world.ts';
import { type Figure, figure, hostSeconds } from './measure.ts';

const PAGES = 24;
const PAGE_BYTES = 4096;
/** add eax, ecx; mov [ebx+80000], eax; xor edx, eax; mov eax, [ebx+80004]; test eax, edx; jz next; lea ecx, [eax+edx] */
const PATTERN = [
  ...[0x01, 0xc8, 0x89, 0x83, 0, 0, 8, 0, 0x31, 0xc2, 0x8b, 0x83, 4, 0, 8, 0],
  ...[0x85, 0xd0, 0x74, 0x00, 0x8d, 0x0c, 0x10],
];
const PATTERN_INSTRUCTIONS = 7;
/** Times that a page's code runs before the next page's begins: the first makes it known, the others run it translated. */
const PASSES = 16;
/** Instructions interpreted in a page before it is translated: more than one pass, so that all of it is known. */
const THRESHOLD = 1500;

/** Pages of the pattern; each is a loop of PASSES and then jumps to the next. */
function freshCode(): { bytes: number[]; instructions: number } {
  const bytes: number[] = [];
  let instructions = 0;
  for (let page = 0; page < PAGES; page++) {
    // mov esi, PASSES; L: pattern…; dec esi; jnz L
    const body = Math.floor((PAGE_BYTES - 32) / PATTERN.length);
    bytes.push(0xbe, PASSES, 0, 0, 0);
    for (let n = 0; n < body; n++) bytes.push(...PATTERN);
    const back = -(body * PATTERN.length + 1 + 6);
    bytes.push(0x4e, 0x0f, 0x85, back & 255, (back >> 8) & 255, (back >> 16) & 255, (back >> 24) & 255);
    // Zeroes would be instructions: NOPs up to the next page.
    while (bytes.length % PAGE_BYTES !== 0) bytes.push(0x90);
    instructions += body * PATTERN_INSTRUCTIONS + 3;
  }
  bytes.push(0xeb, 0xfe);
  return { bytes, instructions };
}

/** Million instructions of fresh code per second, translated in an early pass. */
function translationSpeed(): number {
  const { bytes, instructions } = freshCode();
  const world = new CoreWorld(bytes);
  const engine = new Translator(world.context, { threshold: THRESHOLD });
  world.r[3] = 1 << 20;
  const start = hostSeconds();
  engine.run(0, instructions * PASSES + PAGES * 32);
  const seconds = hostSeconds() - start;
  if (engine.translations < PAGES) throw new Error(`${engine.translations} regions of ${PAGES} pages`);
  return instructions / seconds / 1e6;
}

/** Milliseconds to make an engine for a machine that is there. */
function startUp(): number {
  const { context } = new CoreWorld([0xeb, 0xfe]);
  const start = hostSeconds();
  new Translator({ ...context, costs: DEFAULT_COSTS });
  return (hostSeconds() - start) * 1e3;
}

export const benchTranslation = (rounds: number): Figure[] => [
  figure(`translation of fresh code (from 0x${CODE.toString(16)} on)`, 'M/s', rounds, translationSpeed),
  figure('start of the engine', 'ms', rounds, startUp),
];
