/** `--schedule FILE`: an interleaving that `physmem explore` found, for run and trace. */
import { PlannedSchedule } from '../explore/planned-schedule.ts';
import { parseSchedule, type ScheduleFile } from '../explore/schedule-file.ts';
import { HostError, quoted } from '../scenario/host-error.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { SystemConfig } from '../system.ts';
import type { Io } from './io.ts';

export const NO_SCHEDULE: ScheduleFile = { scenario: '', changes: [], holds: [] };

/**
 * Reads the schedule for the scenario or program `name`; without a path there is none.
 * @throws HostError when it is of another scenario, or a line is wrong
 */
export function readSchedule(path: string | undefined, name: string, io: Io): ScheduleFile {
  if (path === undefined) return NO_SCHEDULE;
  const file = parseSchedule(new TextDecoder().decode(io.readFile(path)), path);
  if (file.scenario !== name) {
    throw new HostError(`${path} is a schedule of ${quoted(file.scenario)}, not of ${quoted(name)}`);
  }
  return file;
}

/** The configuration with that schedule, or as it is. */
export function withSchedule(config: SystemConfig, scenario: Scenario, file: ScheduleFile): SystemConfig {
  if (file === NO_SCHEDULE) return config;
  return { ...config, schedule: new PlannedSchedule(scenario.machine.quantumInstructions, file.holds) };
}
