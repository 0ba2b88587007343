/**
 * Events of the machine. An event is a kind number and up to four 32-bit numbers; nothing is built unless a
 * sink is attached. Kinds are closed tables: 1..99 machine (here), 100..199 kernel and 200..299 physmem
 * (src/abi/events.ts). Names are Linux tracepoint names where the meaning is the same.
 */
export interface EventDef {
  readonly kind: number;
  /** `group:name`, as in Linux tracepoints. */
  readonly name: string;
  /** Names of the arguments a, b, c, d in order. A name that ends in `Addr` is printed in hexadecimal. */
  readonly fields: readonly string[];
}

/**
 * Receiver of events. `time` is the local time of `core` in cycles. Sinks observe and never steer.
 */
export interface EventSink {
  emit(kind: number, core: number, time: number, a: number, b: number, c: number, d: number): void;
}

export enum Ev {
  Reset = 1,
  Post = 2,
  HandOver = 3,
  ModeSwitch = 4,
  CoreStart = 5,
  CoreHalt = 6,
  TripleFault = 7,
  Exception = 10,
  Interrupt = 11,
  IpiSend = 12,
  IpiDeliver = 13,
  TimerFire = 14,
  InvalidOpcode = 15,
  TlbFill = 20,
  TlbFlush = 21,
  TlbInvalidate = 22,
  StaleUse = 23,
  HoleRead = 30,
  HoleWrite = 31,
  DmaStart = 32,
  DmaDone = 33,
  DmaBlocked = 34,
  DiskIssue = 35,
  DiskComplete = 36,
  DmaWrap = 37,
  DmaUnallowed = 38,
  ConsoleByte = 40,
  ExitPort = 41,
  Watchpoint = 42,
  ConsoleInput = 43,
}

export const MACHINE_EVENTS: readonly EventDef[] = [
  { kind: Ev.Reset, name: 'machine:reset', fields: [] },
  { kind: Ev.Post, name: 'machine:post', fields: ['code'] },
  { kind: Ev.HandOver, name: 'machine:hand_over', fields: [] },
  { kind: Ev.ModeSwitch, name: 'machine:mode_switch', fields: ['cr0'] },
  { kind: Ev.CoreStart, name: 'machine:core_start', fields: ['eipAddr'] },
  { kind: Ev.CoreHalt, name: 'machine:core_halt', fields: ['eipAddr'] },
  { kind: Ev.TripleFault, name: 'machine:triple_fault', fields: ['vector', 'eipAddr'] },
  { kind: Ev.Exception, name: 'exceptions:exception', fields: ['vector', 'errorCode', 'eipAddr', 'cr2Addr'] },
  { kind: Ev.Interrupt, name: 'irq:interrupt', fields: ['vector'] },
  { kind: Ev.IpiSend, name: 'irq:ipi_send', fields: ['target', 'vector', 'mode'] },
  { kind: Ev.IpiDeliver, name: 'irq:ipi_deliver', fields: ['vector'] },
  { kind: Ev.TimerFire, name: 'irq:local_timer', fields: ['vector'] },
  {
    kind: Ev.InvalidOpcode,
    name: 'exceptions:invalid_opcode',
    // The instruction's bytes in their order: 0 to 3, 4 to 7, 8 to 11.
    fields: ['eipAddr', 'bytes0Mask', 'bytes4Mask', 'bytes8Mask'],
  },
  { kind: Ev.TlbFill, name: 'tlb:fill', fields: ['vaAddr', 'pte', 'large'] },
  { kind: Ev.TlbFlush, name: 'tlb:tlb_flush', fields: ['reason', 'pages'] },
  { kind: Ev.TlbInvalidate, name: 'tlb:invlpg', fields: ['vaAddr'] },
  { kind: Ev.StaleUse, name: 'tlb:stale_use', fields: ['vaAddr', 'paAddr', 'eipAddr', 'write'] },
  { kind: Ev.HoleRead, name: 'bus:hole_read', fields: ['paAddr', 'size'] },
  { kind: Ev.HoleWrite, name: 'bus:hole_write', fields: ['paAddr', 'size', 'value'] },
  { kind: Ev.DmaStart, name: 'dma:start', fields: ['channel', 'paAddr', 'size', 'write'] },
  { kind: Ev.DmaDone, name: 'dma:done', fields: ['channel', 'paAddr', 'size', 'write'] },
  { kind: Ev.DmaBlocked, name: 'dma:blocked', fields: ['channel', 'paAddr', 'size', 'write'] },
  { kind: Ev.DmaUnallowed, name: 'dma:unallowed', fields: ['channel', 'paAddr', 'size', 'write'] },
  { kind: Ev.DmaWrap, name: 'dma:page_wrap', fields: ['channel', 'beyondAddr', 'paAddr', 'write'] },
  { kind: Ev.DiskIssue, name: 'block:block_rq_issue', fields: ['drive', 'command', 'sector', 'sectors'] },
  { kind: Ev.DiskComplete, name: 'block:block_rq_complete', fields: ['drive', 'sector', 'sectors', 'error'] },
  { kind: Ev.ConsoleByte, name: 'console:byte', fields: ['byte', 'port'] },
  { kind: Ev.ExitPort, name: 'machine:exit_port', fields: ['value'] },
  { kind: Ev.Watchpoint, name: 'debug:watchpoint', fields: ['paAddr', 'size', 'write', 'eipAddr'] },
  { kind: Ev.ConsoleInput, name: 'console:input', fields: ['byte', 'port'] },
];
