/** The scenarios that are shipped: the files of scenarios/, as data, so that they exist in the browser too. */
import cow from '../../scenarios/cow.json' with { type: 'json' };
import diskDriver from '../../scenarios/disk-driver.json' with { type: 'json' };
import diskDriverDies from '../../scenarios/disk-driver-dies.json' with { type: 'json' };
import diskExpiry from '../../scenarios/disk-expiry.json' with { type: 'json' };
import diskOwnerDies from '../../scenarios/disk-owner-dies.json' with { type: 'json' };
import diskRogue from '../../scenarios/disk-rogue.json' with { type: 'json' };
import faults from '../../scenarios/faults.json' with { type: 'json' };
import files from '../../scenarios/files.json' with { type: 'json' };
import forge from '../../scenarios/forge.json' with { type: 'json' };
import fork from '../../scenarios/fork.json' with { type: 'json' };
import fragment from '../../scenarios/fragment.json' with { type: 'json' };
import hello from '../../scenarios/hello.json' with { type: 'json' };
import hog from '../../scenarios/hog.json' with { type: 'json' };
import hostile from '../../scenarios/hostile.json' with { type: 'json' };
import library from '../../scenarios/library.json' with { type: 'json' };
import load from '../../scenarios/load.json' with { type: 'json' };
import pingpong from '../../scenarios/pingpong.json' with { type: 'json' };
import races from '../../scenarios/races.json' with { type: 'json' };
import rearrange from '../../scenarios/rearrange.json' with { type: 'json' };
import refusals from '../../scenarios/refusals.json' with { type: 'json' };
import refusalsDriver from '../../scenarios/refusals-driver.json' with { type: 'json' };
import selftest from '../../scenarios/selftest.json' with { type: 'json' };
import serial from '../../scenarios/serial.json' with { type: 'json' };
import shoot from '../../scenarios/shoot.json' with { type: 'json' };
import spin from '../../scenarios/spin.json' with { type: 'json' };
import stale from '../../scenarios/stale.json' with { type: 'json' };
import staleBroken from '../../scenarios/stale-broken.json' with { type: 'json' };
import story from '../../scenarios/story.json' with { type: 'json' };
import weaken from '../../scenarios/weaken.json' with { type: 'json' };
import zone from '../../scenarios/zone.json' with { type: 'json' };
import { HostError, quoted } from './host-error.ts';
import { suggestion } from './nearest-word.ts';
import { type Change, checkScenario, type Scenario } from './scenario.ts';

/** In the order in which one would show them to a newcomer. */
const FILES: readonly { readonly name: string; readonly title: string; readonly look: string }[] = [
  story,
  hello,
  stale,
  staleBroken,
  races,
  cow,
  fork,
  hog,
  library,
  files,
  weaken,
  fragment,
  load,
  zone,
  diskDriver,
  diskDriverDies,
  diskExpiry,
  diskOwnerDies,
  diskRogue,
  serial,
  rearrange,
  refusals,
  refusalsDriver,
  forge,
  hostile,
  faults,
  pingpong,
  shoot,
  selftest,
  spin,
];

export const BUILT_IN_NAMES: readonly string[] = FILES.map((file) => file.name);

/** Name, title and what to look at of every shipped scenario. */
export const builtInScenarios = (): readonly Scenario[] =>
  FILES.map((file) => checkScenario(file, `scenarios/${file.name}.json`));

/** @throws HostError when there is none of that name, or a change breaks it. */
export function builtInScenario(name: string, changes: readonly Change[] = []): Scenario {
  const file = FILES.find((f) => f.name === name);
  if (file === undefined) {
    throw new HostError(`There is no scenario ${quoted(name)}${suggestion(name, BUILT_IN_NAMES)}`);
  }
  return checkScenario(file, `scenario ${name}`, changes);
}
