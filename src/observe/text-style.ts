/**
 * How text is dressed: width, line-drawing characters, colours. Renderers take a TextStyle and never ask what the output is;
 * the command line decides. Colours are the palette of Okabe and Ito, which people with any of the common colour
 * blindnesses tell apart; nothing is said by colour alone.
 */
export type Role = 'heading' | 'faint' | 'good' | 'bad' | 'system' | OwnerRole;
export type OwnerRole = 'owner0' | 'owner1' | 'owner2' | 'owner3' | 'owner4' | 'owner5' | 'owner6';
export const OWNER_ROLES: readonly OwnerRole[] = [
  'owner0',
  'owner1',
  'owner2',
  'owner3',
  'owner4',
  'owner5',
  'owner6',
];

export interface TextStyle {
  /** Columns that a line may have. */
  readonly columns: number;
  readonly glyphs: 'unicode' | 'ascii';
  /** Wraps text in the colour of a role, or gives it back as it is. */
  readonly paint: (text: string, role: Role) => string;
}

export const PLAIN_STYLE: TextStyle = { columns: 80, glyphs: 'ascii', paint: (text) => text };

/** SGR parameters: 256-colour numbers nearest to the palette. */
const SGR: Readonly<Record<Role, string>> = {
  heading: '1',
  faint: '2',
  good: '38;5;36',
  bad: '1;38;5;166',
  system: '38;5;245',
  owner0: '38;5;74',
  owner1: '38;5;214',
  owner2: '38;5;36',
  owner3: '38;5;175',
  owner4: '38;5;227',
  owner5: '38;5;32',
  owner6: '38;5;166',
};

/** Paint for a terminal that shows ANSI colours. */
export const ansiPaint = (text: string, role: Role): string => `\u001b[${SGR[role]}m${text}\u001b[0m`;

/** A heading with a thin rule to the right edge: `── Frames ─────`. */
export function headingLine(title: string, style: TextStyle): string {
  const line = style.glyphs === 'unicode' ? '─' : '-';
  const width = Math.min(style.columns, 80);
  const rest = Math.max(2, width - title.length - 4);
  return `${style.paint(line.repeat(2), 'faint')} ${style.paint(title, 'heading')} ${style.paint(line.repeat(rest), 'faint')}`;
}

export interface TreeGlyphs {
  readonly branch: string;
  readonly last: string;
  readonly bar: string;
  readonly gap: string;
}

export const treeGlyphs = (style: TextStyle): TreeGlyphs =>
  style.glyphs === 'unicode'
    ? { branch: '├─ ', last: '└─ ', bar: '│  ', gap: '   ' }
    : { branch: '|- ', last: '`- ', bar: '|  ', gap: '   ' };
