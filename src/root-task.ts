/**
 * Starts the root task from an ELF image: the memory server names and binds its pages in the boot container, this
 * fills in the bytes and lays out stack and boot page (src/abi/boot-page.ts). Runs once, on the privileged side, before
 * the first guest instruction.
 */
import { BOOT_PAGE_VA, BOOT_STACK_PAGES, BOOT_STACK_TOP } from './abi/boot-page.ts';
import { SLOT_BOOT_CONTAINER, SLOT_ROOT_CONTROL } from './abi/message.ts';
import { ContainerRight } from './abi/rights.ts';
import { makeBootPage } from './boot-page.ts';
import { DEFAULT_ELF_LIMITS, type ElfImage, type ElfLimits, parseElf } from './kernel/elf.ts';
import type { BootServer } from './physmem/port.ts';

const PAGE_BYTES = 4096;
const STACK_BOTTOM = BOOT_STACK_TOP - BOOT_STACK_PAGES * PAGE_BYTES;
const STACK_HEADROOM = 16;
const READ_WRITE = ContainerRight.READ | ContainerRight.WRITE;

/** What a root image must leave free. */
export const ROOT_ELF_LIMITS: ElfLimits = {
  ...DEFAULT_ELF_LIMITS,
  kept: [
    { start: BOOT_PAGE_VA, end: BOOT_PAGE_VA + PAGE_BYTES, name: 'boot page' },
    { start: STACK_BOTTOM, end: BOOT_STACK_TOP, name: 'initial stack' },
  ],
};

/** The root task as the person who starts the system gives it. */
export interface RootProgram {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly args: readonly string[];
}

/** What is wrong with a root program, in one sentence, or null. */
export function rootProgramError(root: RootProgram): string | null {
  const elf = parseElf(root.bytes, ROOT_ELF_LIMITS);
  if (!elf.ok) return `${root.name}, file offset ${elf.error.offset}: ${elf.error.sentence}`;
  const page = { control: 0, starter: 0, cores: 0, bootContainer: 0, heapStart: 0, modules: [] };
  if (makeBootPage({ ...page, args: [root.name, ...root.args] }) === null) {
    return `${root.name}: the arguments do not fit into the boot page (4096 bytes with their zeroes).`;
  }
  return null;
}

export interface RootStart {
  readonly eip: number;
  readonly esp: number;
}

/**
 * Loads `root`, which must be free of rootProgramError. `write` writes physical memory. The boot container and the
 * root control are in their well-known slots afterwards only if the caller puts them there.
 */
export function loadRootTask(
  root: RootProgram,
  cores: number,
  server: BootServer,
  write: (pa: number, bytes: Uint8Array) => void,
): RootStart {
  const elf = parseElf(root.bytes, ROOT_ELF_LIMITS);
  if (!elf.ok) throw new Error(`root program was not checked: ${elf.error.sentence}`);
  loadImage(elf.image, root.bytes, server, write);
  server.bootSegment(STACK_BOTTOM, BOOT_STACK_PAGES, READ_WRITE);
  const page = makeBootPage({
    control: SLOT_ROOT_CONTROL,
    starter: 0,
    cores,
    args: [root.name, ...root.args],
    bootContainer: SLOT_BOOT_CONTAINER,
    heapStart: elf.image.end,
    modules: server.bootModules,
  });
  if (page === null) throw new Error('the boot page of the root task does not fit into 4096 bytes');
  const [frame] = server.bootSegment(BOOT_PAGE_VA, 1, ContainerRight.READ);
  write(frame! * PAGE_BYTES, page);
  return { eip: elf.image.entry, esp: BOOT_STACK_TOP - STACK_HEADROOM };
}

function loadImage(
  image: ElfImage,
  file: Uint8Array,
  server: BootServer,
  write: (pa: number, bytes: Uint8Array) => void,
): void {
  const frameOfPage = new Map<number, number>();
  for (const run of image.runs) {
    const frames = server.bootSegment(run.vaddr, run.pages, run.access);
    for (const [i, frame] of frames.entries()) frameOfPage.set(run.vaddr / PAGE_BYTES + i, frame);
  }
  for (const { vaddr, fileOffset, fileBytes } of image.segments) {
    for (let done = 0; done < fileBytes; ) {
      const at = vaddr + done;
      const count = Math.min(PAGE_BYTES - (at % PAGE_BYTES), fileBytes - done);
      const frame = frameOfPage.get(Math.floor(at / PAGE_BYTES))!;
      const from = fileOffset + done;
      write(frame * PAGE_BYTES + (at % PAGE_BYTES), file.subarray(from, from + count));
      done += count;
    }
  }
}
