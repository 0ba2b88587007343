import { describe, expect, it } from 'vitest';
import { Ev } from '../../../emu/arch/events.ts';
import { KernelEv, PhysmemEv } from '../../../src/abi/events.ts';
import {
  ALL_EVENTS,
  EVENT_GROUPS,
  eventArguments,
  eventGroup,
  kindsOf,
} from '../../../src/observe/event-table.ts';
import type { TraceEvent } from '../../../src/observe/trace.ts';
import { eventToJson, eventToText, traceToJsonLines } from '../../../src/observe/trace-jsonl.ts';

const event = (kind: number, a = 0, b = 0, c = 0, d = 0): TraceEvent => ({
  seq: 7,
  time: 1234,
  core: 1,
  task: 2,
  kind,
  a,
  b,
  c,
  d,
});

describe('the event tables', () => {
  it('have one row per kind and at most four fields, and names of the form group:name', () => {
    expect(new Set(ALL_EVENTS.map((d) => d.kind)).size).toBe(ALL_EVENTS.length);
    for (const def of ALL_EVENTS) {
      expect(def.fields.length).toBeLessThanOrEqual(4);
      expect(def.name).toMatch(/^[a-z_]+:[a-z_]+$/);
      expect(new Set(def.fields).size).toBe(def.fields.length);
    }
  });

  it('let a filter name groups or single events, and tell which words are neither', () => {
    const { kinds, unknown } = kindsOf(['tlb', 'physmem:map', 'tbl']);
    expect(kinds.has(Ev.TlbFill)).toBe(true);
    expect(kinds.has(KernelEv.ShootdownStart)).toBe(true);
    expect(kinds.has(PhysmemEv.Map)).toBe(true);
    expect(kinds.has(PhysmemEv.Unmap)).toBe(false);
    expect(unknown).toEqual(['tbl']);
    expect(EVENT_GROUPS).toContain(eventGroup(PhysmemEv.Map));
  });

  it('give addresses and masks as hexadecimal text, other words unsigned, and all ones as -1', () => {
    expect(eventArguments(event(Ev.Exception, 14, 6, -0x80000000, 0x1000))).toEqual([
      { name: 'vector', value: 14 },
      { name: 'errorCode', value: 6 },
      { name: 'eipAddr', value: '0x80000000' },
      { name: 'cr2Addr', value: '0x00001000' },
    ]);
    expect(eventArguments(event(PhysmemEv.Allocate, 1, 0, -4096, 0))[2]).toEqual({
      name: 'size',
      value: 0xfffff000,
    });
    expect(eventArguments(event(KernelEv.ContextSwitch, -1, 2, 1))[0]?.value).toBe(-1);
  });
});

describe('a line of the trace', () => {
  it('as JSON has its keys in a fixed order', () => {
    expect(eventToJson(event(PhysmemEv.Map, 1, 0x400000, 77, 3))).toBe(
      '{"seq":7,"time":1234,"core":1,"task":2,"event":"physmem:map",' +
        '"args":{"space":1,"vaAddr":"0x00400000","pfn":77,"pagesAndAccess":3}}',
    );
  });

  it('keeps the running task apart from a task in the arguments', () => {
    const line = JSON.parse(eventToJson(event(KernelEv.TaskExit, 9, 1))) as {
      task: number;
      args: { task: number };
    };
    expect([line.task, line.args.task]).toEqual([2, 9]);
  });

  it('for people names errors, operations and exceptions', () => {
    expect(eventToText(event(KernelEv.OpDone, 5, 18, 12, 0))).toBe(
      ' task 2 [001]         1234: server:op_done: id=5 op=container_map errno=ENOMEM word0=0',
    );
    expect(eventToText(event(KernelEv.OpStart, 5, 2, -3, 0))).toContain('op=task_died');
    expect(eventToText(event(KernelEv.OpWait, 5, 1))).toContain('reason=shootdown');
    expect(eventToText(event(Ev.TlbFlush, 0, 3))).toContain('reason=non_global pages=3');
    expect(eventToText(event(Ev.Exception, 14, 6, 0x401000, 0x1000))).toContain(
      'vector=#PF errorCode=6 eip=0x00401000',
    );
    expect(eventToText({ ...event(Ev.Reset), task: 0, core: -1 })).toBe(
      '      - [---]         1234: machine:reset',
    );
  });

  it('ends with a line feed, each', () => {
    expect(traceToJsonLines([event(Ev.Reset), event(Ev.Reset)]).split('\n')).toHaveLength(3);
    expect(traceToJsonLines([])).toBe('');
  });
});
