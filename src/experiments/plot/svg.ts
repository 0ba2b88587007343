/** SVG as text: elements with attributes, nothing more. */

export type Attributes = Readonly<Record<string, string | number>>;

const escaped = (text: string): string =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');

/** Coordinates to a tenth of a pixel, so that the files are small and the same everywhere. */
const value = (of: string | number): string =>
  typeof of === 'number' ? String(Math.round(of * 10) / 10) : escaped(of);

const attributes = (of: Attributes): string =>
  Object.entries(of)
    .map(([name, one]) => ` ${name}="${value(one)}"`)
    .join('');

export const element = (name: string, of: Attributes, children: readonly string[] = []): string =>
  children.length === 0
    ? `<${name}${attributes(of)}/>`
    : `<${name}${attributes(of)}>${children.length === 1 ? children[0] : `\n${children.join('\n')}\n`}</${name}>`;

export const text = (content: string, of: Attributes): string => element('text', of, [escaped(content)]);

export const line = (x1: number, y1: number, x2: number, y2: number, of: Attributes): string =>
  element('line', { x1, y1, x2, y2, ...of });

/** A whole file. */
export const svgFile = (width: number, height: number, title: string, children: readonly string[]): string =>
  `${element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${width} ${height}`,
      role: 'img',
      'font-family': 'Helvetica, Arial, sans-serif',
    },
    [
      element('title', {}, [escaped(title)]),
      element('rect', { width, height, fill: '#ffffff' }),
      ...children,
    ],
  )}\n`;
