/** How the text of a command is dressed: by the terminal, and by --no-color. */
import { ansiPaint, type TextStyle } from '../observe/text-style.ts';
import type { Io } from './io.ts';

export function styleOf(options: { readonly color: boolean }, io: Io): TextStyle {
  const { columns, glyphs, colours } = io.terminal;
  const isColoured = colours === 'on' && options.color;
  return { columns, glyphs, paint: isColoured ? ansiPaint : (text) => text };
}
