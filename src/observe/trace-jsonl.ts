/**
 * The trace as JSON lines: one event per line, keys always in the same order, no host time, so that the same run gives
 * the same bytes (I36; golden traces compare them). Addresses are hexadecimal strings, all else numbers.
 *
 *   {"seq":17,"time":4021,"core":0,"task":1,"event":"tlb:invlpg","args":{"vaAddr":"0x00402000"}}
 */
import { argumentText, eventArguments, eventDef } from './event-table.ts';
import type { TraceEvent } from './trace.ts';

/** One line, without the line feed. */
export function eventToJson(event: TraceEvent): string {
  const { seq, time, core, task, kind } = event;
  const args = Object.fromEntries(eventArguments(event).map(({ name, value }) => [name, value]));
  return JSON.stringify({ seq, time, core, task, event: eventDef(kind).name, args });
}

/** All events, each line ended by a line feed. */
export const traceToJsonLines = (events: Iterable<TraceEvent>): string => {
  const lines: string[] = [];
  for (const event of events) lines.push(eventToJson(event), '\n');
  return lines.join('');
};

/**
 * One event as a line for people, in the manner of Linux's ftrace:
 *
 *   task 1 [000]     4021: tlb:invlpg: va=0x00402000
 */
export function eventToText(event: TraceEvent): string {
  const task = event.task > 0 ? `task ${event.task}` : '-';
  const core = event.core < 0 ? '---' : event.core.toString().padStart(3, '0');
  const args = argumentText(event);
  const name = eventDef(event.kind).name;
  return `${task.padStart(7)} [${core}] ${event.time.toString().padStart(12)}: ${name}${args && `: ${args}`}`;
}
