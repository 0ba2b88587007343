/**
 * `npm run bench [cpu|engines|loops|moving|physmem|snapshots|translation|trips]` or `npm run bench soak [minutes] [eager]`: what the program exists
 * to be fast at, measured on this machine. Medians with ranges; the host is noisy, so compare figures of one run only.
 */
import { DEFAULT_ENGINE, OWN_ENGINE_NAMES } from '../../emu/arch/engine.ts';
import { benchCore } from './core.ts';
import { printFigures } from './measure.ts';
import { benchSnapshots } from './snapshots.ts';
import { benchTranslation } from './translation.ts';
import { benchTrips } from './trips.ts';

const ROUNDS = 5;

const benches: Readonly<Record<string, () => void | Promise<void>>> = {
  cpu: () => {
    for (const engine of OWN_ENGINE_NAMES) {
      printFigures(`Single things on the core, default TLB: ${engine}`, benchCore(ROUNDS, engine));
    }
  },
  // Loaded when asked for: it needs v86, and other engines where they are installed.
  engines: async () => (await import('./engines/compare.ts')).compareEngines(ROUNDS),
  loops: async () => (await import('./engines/compare.ts')).compareOwnEngines(ROUNDS),
  // Loaded when asked for, as the next one: they build servers for a GiB of frames and more.
  moving: async () => (await import('./moving.ts')).benchMoving(ROUNDS),
  physmem: async () => (await import('./physmem.ts')).benchPhysmem(),
  snapshots: () => printFigures('RAM of a snapshot', benchSnapshots(ROUNDS)),
  translation: () => printFigures('The translator itself', benchTranslation(ROUNDS)),
  trips: () => printFigures(`Across the line, one core, ${DEFAULT_ENGINE}`, benchTrips(ROUNDS)),
};
const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => benches[name] === undefined);

function refuse(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
  process.exitCode = 2;
}

/** Minutes long, so only by name. */
async function soakFor(minutes = '10', pace = 'paced'): Promise<void> {
  if (!(Number(minutes) > 0)) refuse(`"${minutes}" is no number of minutes; for example: soak 10.`);
  else if (pace !== 'paced' && pace !== 'eager') refuse(`"${pace}" is no pace; there are: paced, eager.`);
  else process.exitCode = (await import('./soak.ts')).soak(Number(minutes), pace);
}

if (wanted[0] === 'soak') await soakFor(wanted[1], wanted[2]);
else if (unknown !== undefined) {
  refuse(`There is no bench "${unknown}"; there are: ${Object.keys(benches).join(', ')}, soak.`);
} else {
  for (const name of wanted.length > 0 ? wanted : Object.keys(benches)) await benches[name]!();
}
