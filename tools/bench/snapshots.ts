/** Saving and restoring RAM as emu/ram-pages.ts does it: its cost is what a snapshot costs. */
import type { PlainData } from '../../emu/arch/ports.ts';
import { RamPageStore } from '../../emu/ram-pages.ts';
import { type Figure, figure, hostSeconds } from './measure.ts';

const MIB = 2 ** 20;
const SIZES_MIB = [32, 1024];

const milliseconds = (work: () => void): number => {
  const started = hostSeconds();
  work();
  return (hostSeconds() - started) * 1000;
};

/** Figures for one RAM, in milliseconds: empty, then full of contents that differ from page to page. */
function benchRam(mib: number, rounds: number): Figure[] {
  const ram = new Uint8Array(mib * MIB);
  const words = new Int32Array(ram.buffer);
  const store = new RamPageStore(ram);
  let state: PlainData = null;
  const save = (): void => {
    state = { ...store.save() };
  };
  const title = (what: string): string => `${mib} MiB, ${what}`;
  const empty = figure(title('save, all zero'), 'ms', rounds, () => milliseconds(save));
  let round = 0;
  const full = figure(title('save, all new'), 'ms', 2, () => {
    words.fill(++round);
    return milliseconds(save);
  });
  const unchanged = figure(title('save, all unchanged'), 'ms', rounds, () => milliseconds(save));
  const restored = figure(title('restore, all there'), 'ms', rounds, () =>
    milliseconds(() => store.load(state)),
  );
  return [empty, unchanged, full, restored];
}

export const benchSnapshots = (rounds: number): Figure[] => SIZES_MIB.flatMap((mib) => benchRam(mib, rounds));
