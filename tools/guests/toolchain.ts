/**
 * The C tool chain for guests: any stock GCC (no multilib needed) with GNU ld, or clang with ld.lld. Options are
 * chosen so that the same compiler version gives the same bytes anywhere: no paths, no identification, no build id.
 */
import { execFileSync } from 'node:child_process';

export interface Toolchain {
  readonly name: 'gcc' | 'clang';
  readonly major: number;
  readonly compile: readonly string[];
  readonly link: readonly string[];
}

const COMMON_FLAGS: readonly string[] = [
  '-std=gnu11',
  '-O2',
  '-Wall',
  '-Wextra',
  '-march=i686',
  '-mgeneral-regs-only',
  '-ffreestanding',
  '-fno-pic',
  '-fno-stack-protector',
  '-fno-asynchronous-unwind-tables',
  '-fno-ident',
  '-fcf-protection=none',
  '-fno-strict-aliasing',
  '-fomit-frame-pointer',
  '-ffunction-sections',
  '-fdata-sections',
];
const GCC_FLAGS: readonly string[] = ['-m32', '-fno-tree-loop-distribute-patterns'];
const CLANG_FLAGS: readonly string[] = ['--target=i386-unknown-none-elf', '-fno-builtin'];
const LINK_FLAGS: readonly string[] = [
  '-m',
  'elf_i386',
  '-static',
  '-nostdlib',
  '--build-id=none',
  '--gc-sections',
  '--discard-all',
  '-z',
  'max-page-size=0x1000',
  '-z',
  'noexecstack',
];

/** The options that shape the images, for the hash of a program's inputs. */
export const BUILD_OPTIONS: readonly string[] = [...COMMON_FLAGS, ...GCC_FLAGS, ...LINK_FLAGS];

const output = (command: string, args: readonly string[]): string => {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
};

const majorOf = (command: string): number => Number.parseInt(output(command, ['-dumpversion']), 10) || 0;

/** The tool chains of this machine, GCC first; empty when there is none. */
export const findToolchains = (): Toolchain[] => {
  const found: Toolchain[] = [];
  if (majorOf('gcc') > 0 && output('ld', ['--version']) !== '') {
    found.push({
      name: 'gcc',
      major: majorOf('gcc'),
      compile: ['gcc', ...GCC_FLAGS, ...COMMON_FLAGS],
      link: ['ld', ...LINK_FLAGS],
    });
  }
  if (majorOf('clang') > 0 && output('ld.lld', ['--version']) !== '') {
    found.push({
      name: 'clang',
      major: majorOf('clang'),
      compile: ['clang', ...CLANG_FLAGS, ...COMMON_FLAGS],
      link: ['ld.lld', ...LINK_FLAGS],
    });
  }
  return found;
};
