/**
 * All state of the server, reachable from one root: pools of records that name each other by integers, so that a
 * snapshot can be taken between operations. No rule lives here; the rooms beside it (split, cow, removal, map,
 * copy …) are functions over a Store.
 */
import { DEFAULT_POLICY_SPEC } from '../abi/policy-spec.ts';
import { BaseFrames } from './base-frames.ts';
import { BTrees } from './btree.ts';
import { Compaction } from './compact/judge.ts';
import { namedPolicy } from './compact/named.ts';
import type { Policy } from './compact/policy.ts';
import { type Container, type Limited, newContainers, newLimiteds, type ObjectTable } from './container.ts';
import { Controls } from './control.ts';
import { type Counters, newCounters } from './counters.ts';
import { Deferred } from './deferred.ts';
import { Entries } from './entry.ts';
import type { PhysmemFaults } from './faults.ts';
import { Frames } from './frame.ts';
import { Guards, PROGRESS_KEY } from './guard.ts';
import { Inflight } from './inflight.ts';
import { Loans } from './loan.ts';
import { MapRecords } from './map-record.ts';
import { Pins } from './pin-record.ts';
import type { PlainData } from './plain-data.ts';
import type { KernelPort } from './port.ts';
import type { Removal } from './removal.ts';
import { Spaces } from './space.ts';
import { Zones } from './zone.ts';

export interface PhysmemOptions {
  /** Largest frame order; at least 10, so that 4 MiB frames exist. */
  readonly maxOrder?: number;
  /** Share of the DMA zone that unrestricted requests leave alone while Normal has memory. */
  readonly dmaReserve?: number;
  /** Entries or table slots that an operation handles before it pauses. */
  readonly sliceSteps?: number;
  /** Cycles that holders of extra memory have to give it back before it is taken. */
  readonly returnCycles?: number;
  readonly faults?: Partial<PhysmemFaults>;
  /** Deferred unmap (physmem.md §6.6); off when left out, and the bounds of its list. */
  readonly deferral?: Partial<Deferral>;
  /** When and how memory is moved to make large blocks; never, when left out. */
  readonly policy?: Policy;
}

export interface Deferral {
  readonly mode: 'on' | 'off';
  /** TLB entries that the list may stand for. */
  readonly entriesMax: number;
  /** Cycles after which it is flushed, counted from its first entry. */
  readonly cycles: number;
}

export const NO_DEFERRAL: Deferral = { mode: 'off', entriesMax: 512, cycles: 1_000_000 };

export interface Tuning {
  readonly maxOrder: number;
  readonly dmaReserve: number;
  readonly sliceSteps: number;
  readonly returnCycles: number;
  readonly poison: 'on' | 'off';
  readonly faults: PhysmemFaults;
  readonly deferral: Deferral;
  readonly policy: Policy;
}

export const NO_POLICY: Policy = namedPolicy(DEFAULT_POLICY_SPEC);

export class Store {
  readonly port: KernelPort;
  readonly tuning: Tuning;
  readonly base: BaseFrames;
  readonly zones: Zones;
  readonly controls = new Controls();
  readonly containers: ObjectTable<Container> = newContainers();
  readonly limiteds: ObjectTable<Limited> = newLimiteds();
  readonly pins = new Pins();
  readonly entries = new Entries();
  readonly loans = new Loans();
  readonly frames = new Frames();
  readonly trees = new BTrees();
  readonly maps = new MapRecords();
  readonly spaces = new Spaces();
  readonly guards = new Guards();
  readonly inflight = new Inflight();
  readonly deferred = new Deferred();
  readonly compaction: Compaction;
  /** Removals that have nothing to do, for the next operations; not part of the state. */
  readonly idleRemovals: Removal[] = [];
  counters: Counters = newCounters();
  /** Capabilities that tasks have lost since the start, and tasks that died: for who must notice one in between. */
  drops = 0;
  /** Frames that carry FrameFlag.MOVING. */
  moving = 0;
  /** Base frames out of the free lists while memory moves, and whether somebody waits for them (claim.ts). */
  claimed = 0;
  hurry = false;

  constructor(port: KernelPort, frameCount: number, dmaEnd: number, tuning: Tuning) {
    this.port = port;
    this.tuning = tuning;
    this.base = new BaseFrames(frameCount, tuning.maxOrder);
    this.zones = new Zones(this.base, dmaEnd, tuning.maxOrder);
    this.compaction = new Compaction(this, tuning.policy);
    this.zones.grouping = this.compaction.grouping;
  }

  /** Wakes operations that wait for a shootdown, a moving frame or memory. */
  progress(): void {
    this.port.wake(PROGRESS_KEY);
  }

  save(): PlainData {
    return {
      base: this.base.save(),
      zones: this.zones.save(),
      controls: this.controls.save(),
      containers: this.containers.save(),
      limiteds: this.limiteds.save(),
      pins: this.pins.save(),
      entries: this.entries.save(),
      loans: this.loans.save(),
      frames: this.frames.save(),
      trees: this.trees.save(),
      maps: this.maps.save(),
      spaces: this.spaces.save(),
      inflight: this.inflight.save(),
      deferred: this.deferred.save(),
      compaction: this.compaction.save(),
      counters: { ...this.counters },
    };
  }

  load(saved: PlainData): void {
    const from = saved as Record<string, PlainData>;
    this.base.load(from['base']);
    this.zones.load(from['zones']);
    this.controls.load(from['controls']);
    this.containers.load(from['containers']);
    this.limiteds.load(from['limiteds']);
    this.pins.load(from['pins']);
    this.entries.load(from['entries']);
    this.loans.load(from['loans']);
    this.frames.load(from['frames']);
    this.trees.load(from['trees']);
    this.maps.load(from['maps']);
    this.spaces.load(from['spaces']);
    this.inflight.load(from['inflight']);
    this.deferred.load(from['deferred']);
    this.compaction.load(from['compaction']);
    this.counters = { ...(from['counters'] as unknown as Counters) };
    this.moving = 0;
    this.claimed = 0;
    this.hurry = false;
  }
}
