/**
 * Physical address map and I/O ports of the machine (machine.md §1, §5). Facts only: the bus and the devices
 * are in emu/mem and emu/dev.
 */
export const LOW_RAM_END = 0x000a0000;
export const VGA_HOLE_END = 0x00100000;
export const VGA_TEXT_BASE = 0x000b8000;
/** First byte that the 24-bit ISA DMA controller cannot reach. */
export const DMA_ZONE_END = 0x01000000;
export const IOAPIC_BASE = 0xfec00000;
export const LAPIC_BASE = 0xfee00000;
export const ROM_BASE = 0xffff0000;
export const ROM_SIZE = 0x10000;
/** Read-only window that holds the boot module archive (see boot-info.ts); empty when there are no modules. */
export const MODULE_WINDOW_BASE = 0xe0000000;
export const MODULE_WINDOW_MAX = 0x10000000;

export const MIN_RAM = 4 << 20;
export const MAX_RAM = 3 * 2 ** 30;
export const MAX_CORES = 16;

export const PORT_PIC1 = 0x20;
export const PORT_PIC2 = 0xa0;
export const PORT_KBC_DATA = 0x60;
export const PORT_KBC_STATUS = 0x64;
export const PORT_CMOS_INDEX = 0x70;
export const PORT_CMOS_DATA = 0x71;
/** POST codes of the firmware; every write is a trace event. */
export const PORT_POST = 0x80;
/** Debug console: a byte written here goes to the host's console, a read gives 0xE9 (Bochs and QEMU agree). */
export const PORT_DEBUG_CONSOLE = 0xe9;
/** Exit port: writing v ends the run with status (v << 1) | 1 (QEMU's isa-debug-exit at 0xF4). */
export const PORT_EXIT = 0xf4;
/** Writing 1 hands the machine over to the attached kernel (hosted mode); ignored when none is attached. */
export const PORT_HAND_OVER = 0xf8;
/** Firmware configuration: write a 16-bit selector to 0x510, read bytes from 0x511 (see boot-info.ts). */
export const PORT_CONFIG_SELECT = 0x510;
export const PORT_CONFIG_DATA = 0x511;
export const PORT_COM1 = 0x3f8;
export const PORT_CRTC_INDEX = 0x3d4;
export const PORT_CRTC_DATA = 0x3d5;
export const PORT_PIT = 0x40;
export const PORT_SYSTEM_CONTROL_B = 0x61;
export const PORT_IDE0 = 0x1f0;
export const PORT_IDE0_CONTROL = 0x3f6;

export const IRQ_TIMER = 0;
export const IRQ_KEYBOARD = 1;
export const IRQ_COM1 = 4;
export const IRQ_IDE0 = 14;
