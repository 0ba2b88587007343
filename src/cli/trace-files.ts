/** The forms in which a recording is written, and which one a file's name asks for. */
import type { FrameMapInput } from '../observe/frame-map.ts';
import { freeBlocksOf } from '../observe/physmem-view.ts';
import type { TraceEvent } from '../observe/trace.ts';
import { eventToText, traceToJsonLines } from '../observe/trace-jsonl.ts';
import { traceToPerfetto } from '../observe/trace-perfetto.ts';

export const TRACE_FORMATS = ['jsonl', 'perfetto', 'text'] as const;
export type TraceFormat = (typeof TRACE_FORMATS)[number];

/** `.json` Perfetto, `.txt` text, anything else JSON lines. */
export function formatOfFile(path: string): TraceFormat {
  if (path.endsWith('.json')) return 'perfetto';
  return path.endsWith('.txt') ? 'text' : 'jsonl';
}

export interface TraceContext {
  readonly cores: number;
  /** Name of task 1. */
  readonly rootName: string;
  readonly framesAtBoot: FrameMapInput | null;
}

/** The whole file. The same run gives the same bytes. */
export function traceText(events: Iterable<TraceEvent>, format: TraceFormat, context: TraceContext): string {
  switch (format) {
    case 'jsonl':
      return traceToJsonLines(events);
    case 'text':
      return Array.from(events, (event) => `${eventToText(event)}\n`).join('');
    case 'perfetto':
      return traceToPerfetto(events, {
        cores: context.cores,
        taskNames: new Map([[1, context.rootName]]),
        ...(context.framesAtBoot === null ? {} : { freeBlocks: freeBlocksOf(context.framesAtBoot) }),
      });
  }
}
