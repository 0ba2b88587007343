/**
 * The bare-mode test images (images/*.s, prebuilt in images/bin) and what is known about the references that run them.
 * An image prints one line per case on port 0xE9; the lines must be the same here and there, but for DEVIATIONS.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const IMAGE_DIRECTORY = fileURLToPath(new URL('images/', import.meta.url));
export const RAM_BYTES = 16 << 20;

export type Reference = 'qemu' | 'v86';

export interface TestImage {
  readonly name: string;
  /** v86 has no debug registers, no single step, and ends in a panic on many faults. */
  readonly references: readonly Reference[];
}

export const IMAGES: readonly TestImage[] = [
  { name: 'faults', references: ['qemu'] },
  { name: 'delivery', references: ['qemu'] },
  { name: 'debug', references: ['qemu'] },
  { name: 'rings', references: ['qemu', 'v86'] },
  { name: 'paging', references: ['qemu', 'v86'] },
];

/** A line on which a reference differs from this machine, and why this machine is right. */
export interface Deviation {
  readonly image: string;
  readonly reference: Reference;
  /** Text before the colon. */
  readonly line: string;
  readonly reason: string;
}

const qemu = (image: string, line: string, reason: string): Deviation => ({
  image,
  reference: 'qemu',
  line,
  reason,
});

const PUSHA_ORDER =
  'PUSHA writes downwards from EAX (SDM vol. 2); the references probe the whole range first';
const NO_ICEBP = 'INT1 is an instruction (SDM vol. 2, INT n); QEMU 7.2 takes it for an invalid opcode';
const ABSENT_STACK =
  'a stack segment that is not present is #SS(selector), not #TS (SDM vol. 3 §6.12.1, vol. 2 CALL)';

export const DEVIATIONS: readonly Deviation[] = [
  qemu(
    'faults',
    'absent gate of #UD',
    'EXT is set when an earlier exception was being delivered (SDM vol. 3 §6.13); QEMU sets it for interrupts only',
  ),
  qemu('delivery', 'gate call with an absent stack', ABSENT_STACK),
  qemu('delivery', 'interrupt with an absent stack', ABSENT_STACK),
  qemu('debug', 'icebp', NO_ICEBP),
  qemu('debug', 'ring 3 icebp', NO_ICEBP),
  qemu(
    'debug',
    'access to debug registers with GD',
    'DR7.GD raises #DB (SDM vol. 3 §17.2.4); QEMU ignores it',
  ),
  qemu('debug', 'what dr6 and dr7 keep', 'DR6 bit 12 is always 0 (SDM vol. 3 §17.2.3); QEMU keeps it'),
  qemu(
    'rings',
    'gate to conforming code stays in the ring',
    'CPL does not change (SDM vol. 3 §5.8.5); QEMU takes the DPL of the code segment. v86 agrees with us',
  ),
  qemu('paging', 'ring 3 pusha across a page end', PUSHA_ORDER),
  qemu(
    'paging',
    'a global entry survives a CR3 load',
    'global entries stay (SDM vol. 3 §4.10.4.1) and may be dropped at any time; QEMU drops them. v86 agrees with us',
  ),
  { image: 'paging', reference: 'v86', line: 'ring 3 pusha across a page end', reason: PUSHA_ORDER },
  {
    ...{ image: 'paging', reference: 'v86', line: 'repe scas across' },
    reason:
      'flags of the iterations that were done are kept, as the host processor and QEMU do; v86 forgets them',
  },
];

/** Prebuilt image. */
export function imageBytes(name: string): Uint8Array {
  return new Uint8Array(readFileSync(`${IMAGE_DIRECTORY}bin/${name}.bin`));
}

/** SHA-256 of everything that an image is made of. */
export function sourceHash(name: string): string {
  const hash = createHash('sha256');
  for (const file of ['image.ld', 'frame.inc', `${name}.s`])
    hash.update(readFileSync(IMAGE_DIRECTORY + file, 'utf8'));
  return hash.digest('hex');
}

/** Recorded by build-images.ts: source hash by image. */
export function recordedHashes(): Readonly<Record<string, string>> {
  return JSON.parse(readFileSync(`${IMAGE_DIRECTORY}bin/manifest.json`, 'utf8'));
}

/** What QEMU said when the images were built, for machines without QEMU. */
export function recordedTranscript(name: string): string {
  return readFileSync(`${IMAGE_DIRECTORY}bin/${name}.qemu.txt`, 'utf8');
}

export interface Comparison {
  readonly unexplained: readonly string[];
  readonly unused: readonly Deviation[];
  readonly lines: number;
}

/** Compares transcripts line by line; `unused` are listed deviations that did not show. */
export function compareTranscripts(
  image: string,
  reference: Reference,
  here: string,
  there: string,
): Comparison {
  const known = DEVIATIONS.filter((d) => d.image === image && d.reference === reference);
  const used = new Set<Deviation>();
  const ours = here.split('\n');
  const theirs = there.split('\n');
  const unexplained: string[] = [];
  for (let i = 0; i < Math.max(ours.length, theirs.length); i++) {
    if (ours[i] === theirs[i]) continue;
    const deviation = known.find(
      (d) => ours[i]?.startsWith(`${d.line}:`) && theirs[i]?.startsWith(`${d.line}:`),
    );
    if (deviation) used.add(deviation);
    else unexplained.push(`here:  ${ours[i] ?? '(nothing)'}\n${reference}: ${theirs[i] ?? '(nothing)'}`);
  }
  return { unexplained, unused: known.filter((d) => !used.has(d)), lines: ours.length };
}
