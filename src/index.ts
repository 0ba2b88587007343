/**
 * The library: what `import … from 'physmem'` gives. The same core as command line and page; no Node API, no DOM.
 */
export { type CostModel, DEFAULT_COSTS } from '../emu/arch/cost.ts';
export { type DmaRefusal, explainDma } from '../emu/arch/dma.ts';
export type { DmaTarget } from '../emu/dev/dma-ports.ts';
export { IoAccess } from '../emu/dev/io-protection.ts';
export { Machine, type RunLimits } from '../emu/machine.ts';
export type { MachineConfig } from '../emu/machine-config.ts';
export { loadPlan, planMultiboot } from '../emu/multiboot.ts';
export { firmwareRom } from '../firmware/image.ts';
export { endReport, endReportData } from './observe/end-report.ts';
export { systemView } from './observe/system-view.ts';
export { type TraceEvent, TraceRing } from './observe/trace.ts';
export { traceToJsonLines } from './observe/trace-jsonl.ts';
export { TraceRecording } from './observe/trace-recording.ts';
export { namedPolicy } from './physmem/compact/named.ts';
export type { Goal, Policy, PolicyView, Proposal } from './physmem/compact/policy.ts';
export { BUILT_IN_NAMES, builtInScenario, builtInScenarios } from './scenario/built-in.ts';
export { HostError } from './scenario/host-error.ts';
export type { ImageSource } from './scenario/image-source.ts';
export { parseScenario, type Scenario } from './scenario/scenario.ts';
export { scenarioConfig } from './scenario-system.ts';
export { type ConsoleSource, type StopReason, System, type SystemConfig } from './system.ts';
