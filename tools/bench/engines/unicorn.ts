/**
 * The Unicorn library alone on the image: no page of ours between, no hook but the one for ports. Debian's 2.0.1 turns
 * paging on without translating, which an identity map does not show; there are no interrupts, so traps are left out.
 */
import { planMultiboot } from '../../../emu/multiboot.ts';
import { openNative } from '../../../src/cli/unicorn-library.ts';
import { commandLine, Marks, PRIVILEGED, RAM_BYTES, type RunnerOrReason, wallSeconds } from './marks.ts';

const ARCH_X86 = 4;
const MODE_32 = 4;
const HOOK_INSTRUCTION = 2;
const INSTRUCTION_OUT = 500;
const ACCESS_ALL = 7;
/** EAX, EBX, ESP. */
const [EAX, EBX] = [19, 21];
const MULTIBOOT_MAGIC = 0x2badb002;
const NOWHERE = 0xffffffff;

export function unicornRunner(image: Uint8Array): RunnerOrReason {
  let native: ReturnType<typeof openNative>;
  try {
    native = openNative();
  } catch (error) {
    return (error as Error).message;
  }
  const { koffi, library } = native;
  koffi.proto('void BenchOut(void *uc, uint32_t port, int size, uint32_t value, void *user)');
  const open = library.func('int uc_open(int arch, int mode, _Out_ void **uc)');
  const close = library.func('int uc_close(void *uc)');
  const map = library.func('int uc_mem_map(void *uc, uint64_t address, size_t size, uint32_t access)');
  const write = library.func(
    'int uc_mem_write(void *uc, uint64_t address, const uint8_t *bytes, size_t size)',
  );
  const setRegister = library.func('int uc_reg_write(void *uc, int register, const uint32_t *value)');
  const start = library.func(
    'int uc_emu_start(void *uc, uint64_t begin, uint64_t until, uint64_t timeout, size_t count)',
  );
  const stop = library.func('int uc_emu_stop(void *uc)');
  const addHook = library.func(
    'int uc_hook_add(void *uc, _Out_ size_t *hook, int type, BenchOut *call, void *user, uint64_t begin, uint64_t end, ...)',
  );
  let marks = new Marks();
  let uc: unknown = null;
  const onOut = koffi.register((_uc: unknown, port: number, _size: number, value: number) => {
    if (port === 0xe9) marks.take(value, wallSeconds());
    if (port === 0xf4) stop(uc);
  }, koffi.pointer('BenchOut'));
  return {
    name: 'Unicorn',
    cannot: PRIVILEGED,
    run: (units) => {
      const plan = planMultiboot({ image, ramBytes: RAM_BYTES, commandLine: commandLine(units) });
      const out: unknown[] = [null];
      open(ARCH_X86, MODE_32, out);
      uc = out[0];
      marks = new Marks();
      map(uc, 0, RAM_BYTES, ACCESS_ALL);
      for (const { address, bytes } of plan.writes) write(uc, address, bytes, bytes.length);
      setRegister(uc, EAX, Uint32Array.of(MULTIBOOT_MAGIC));
      setRegister(uc, EBX, Uint32Array.of(plan.multibootInfo));
      addHook(uc, [0], HOOK_INSTRUCTION, onOut, null, 1, 0, 'int', INSTRUCTION_OUT);
      const error = start(uc, plan.entry, NOWHERE, 0, 0);
      close(uc);
      if (error !== 0) throw new Error(`Unicorn ended with error ${error}`);
      return Promise.resolve(marks.results);
    },
  };
}
