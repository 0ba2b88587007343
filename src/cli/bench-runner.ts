/**
 * Who runs the jobs of an evaluation: this thread, or worker threads. Outcomes do not depend on it: a job is a pure function
 * of its description, and they are put together in the order of the plan.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Sample } from '../experiments/experiment.ts';
import { type Job, runJob } from '../experiments/plan.ts';
import type { Outcome } from '../experiments/summary.ts';
import type { Io } from './io.ts';

export interface JobRunner {
  run(job: Job): Promise<Sample>;
  end(): void;
}

/** What a worker gets when it starts, and what it answers. */
export interface WorkerStart {
  readonly shippedImages: ReadonlyMap<string, string>;
}
export type WorkerAnswer = { readonly sample: Sample } | { readonly error: string };

/** The bundle beside this one; when the program runs from its sources there is none. */
const WORKER_FILE = new URL('bench-worker.js', import.meta.url);

/** As many runners as are wanted and can be had, at least this thread. */
export function jobRunners(count: number, io: Io): JobRunner[] {
  if (count < 2 || !existsSync(fileURLToPath(WORKER_FILE))) return [ownThread(io)];
  return Array.from({ length: count }, () => workerThread(io));
}

function ownThread(io: Io): JobRunner {
  const images = { image: (name: string) => io.readFile(io.shippedImages.get(name)!) };
  return {
    run: async (job) => {
      await io.breathe();
      return runJob(job, images);
    },
    end: () => {},
  };
}

function workerThread(io: Io): JobRunner {
  const start: WorkerStart = { shippedImages: io.shippedImages };
  const worker = new Worker(WORKER_FILE, { workerData: start });
  return {
    run: (job) =>
      new Promise((resolve, reject) => {
        worker.once('error', reject);
        worker.once('message', (answer: WorkerAnswer) => {
          worker.off('error', reject);
          if ('error' in answer) reject(new Error(answer.error));
          else resolve(answer.sample);
        });
        worker.postMessage(job);
      }),
    end: () => void worker.terminate(),
  };
}

/** Ctrl-C, to be looked at and to be waited for. */
export interface Interruption {
  readonly isSet: () => boolean;
  readonly happens: Promise<undefined>;
}

/**
 * Runs the jobs in order, each runner taking the next one, until all are done or an interruption comes; then jobs under way
 * are given up. Returns what is complete, in the order of the jobs.
 */
export async function runJobs(
  jobs: readonly Job[],
  runners: readonly JobRunner[],
  interruption: Interruption,
  onDone: (done: number, job: Job) => void,
): Promise<Outcome[]> {
  const samples: (Sample | undefined)[] = new Array(jobs.length).fill(undefined);
  let next = 0;
  let done = 0;
  const work = async (runner: JobRunner): Promise<void> => {
    while (next < jobs.length && !interruption.isSet()) {
      const index = next++;
      const sample = await Promise.race([runner.run(jobs[index]!), interruption.happens]);
      if (sample === undefined) return;
      samples[index] = sample;
      done += 1;
      onDone(done, jobs[index]!);
    }
  };
  await Promise.all(runners.map(work));
  return samples.flatMap((sample, i) => (sample === undefined ? [] : [{ job: jobs[i]!, sample }]));
}
