/** Free blocks per zone and order, in the format of Linux's /proc/buddyinfo (mm/vmstat.c, frag_show_print). */

export interface ZoneBlocks {
  readonly name: string;
  /** Free blocks of each order, 0 first. */
  readonly freeBlocks: readonly number[];
}

/** One line per zone, byte-compatible with Linux: node and zone, then one number per order. */
export const buddyinfo = (zones: readonly ZoneBlocks[]): string =>
  zones
    .map(({ name, freeBlocks }) => {
      const counts = freeBlocks.map((n) => `${n.toString().padStart(6)} `).join('');
      return `Node 0, zone ${name.padStart(8)} ${counts}\n`;
    })
    .join('');

/** Free base frames of a zone. */
export const freeFramesOf = (zone: ZoneBlocks): number =>
  zone.freeBlocks.reduce((sum, blocks, order) => sum + blocks * 2 ** order, 0);

/**
 * Two moments side by side, for the end of a run: the orders as a header, then before and after of each zone. A zone that
 * did not change has one line.
 */
export function buddyinfoChange(before: readonly ZoneBlocks[], after: readonly ZoneBlocks[]): string {
  const orders = Math.max(...after.map((zone) => zone.freeBlocks.length));
  const numbers = (values: readonly (number | string)[]): string =>
    values.map((n) => n.toString().padStart(4)).join(' ');
  const line = (zone: string, when: string, values: string): string =>
    `${zone.padEnd(7)}${when.padEnd(7)}${values}\n`;
  let text = line('zone', 'order', numbers(Array.from({ length: orders }, (_, order) => order)));
  for (const [i, zone] of after.entries()) {
    const old = before[i];
    const now = `${numbers(zone.freeBlocks)}  ${freeFramesOf(zone)} free`;
    const then = old === undefined ? now : `${numbers(old.freeBlocks)}  ${freeFramesOf(old)} free`;
    if (then === now) text += line(zone.name, 'same', now);
    else text += line(zone.name, 'before', then) + line('', 'after', now);
  }
  return text;
}
