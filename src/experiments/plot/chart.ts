/**
 * One chart as an SVG file: series over a numeric axis, or over named groups side by side, with intervals. Made for
 * projectors: large type, thick lines; series differ in colour (Okabe and Ito), mark and dash, so that none depends on colour.
 */
import { type Axis, axisFor, position, type Scale, tickLabel } from './axis.ts';
import { type Attributes, element, line, svgFile, text } from './svg.ts';

export interface ChartPoint {
  readonly x: number;
  readonly y: number;
  /** Interval, when there is one. */
  readonly low?: number;
  readonly high?: number;
}

export interface Series {
  readonly name: string;
  readonly points: readonly ChartPoint[];
}

export interface Chart {
  readonly title: string;
  readonly subtitle: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly yScale: Scale;
  /** Names of x = 0, 1, 2 …; null: x is a number. */
  readonly groups: readonly string[] | null;
  readonly series: readonly Series[];
}

const WIDTH = 960;
const LEFT = 110;
const RIGHT = 30;
const TOP = 96;
const PLOT_WIDTH = WIDTH - LEFT - RIGHT;
const PLOT_HEIGHT = 360;
/** Below the plot: labels, and a row for every two names. */
const LABELS_HEIGHT = 84;
const LEGEND_COLUMNS = 2;
const LEGEND_ROW = 30;
const TICKS = 6;
const MARK = 7;
/** Marks of one line; more would hide it. */
const MARKS_MAX = 20;
/** Share of a group's room that its series take. */
const GROUP_SHARE = 0.7;
const INK = '#222222';
const GRID = '#dddddd';

interface Dress {
  readonly colour: string;
  readonly dash: string;
  readonly mark: (x: number, y: number, of: Attributes) => string;
}

const polygon = (points: readonly (readonly [number, number])[], of: Attributes): string =>
  element('polygon', { points: points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' '), ...of });

const circle = (cx: number, cy: number, of: Attributes): string =>
  element('circle', { cx, cy, r: MARK, ...of });
const square = (x: number, y: number, of: Attributes): string =>
  element('rect', { x: x - MARK, y: y - MARK, width: 2 * MARK, height: 2 * MARK, ...of });
const triangle = (x: number, y: number, of: Attributes): string =>
  polygon(
    [
      [x - MARK, y + MARK],
      [x + MARK, y + MARK],
      [x, y - MARK - 2],
    ],
    of,
  );
const diamond = (x: number, y: number, of: Attributes): string =>
  polygon(
    [
      [x - MARK - 2, y],
      [x, y + MARK + 2],
      [x + MARK + 2, y],
      [x, y - MARK - 2],
    ],
    of,
  );
const wedge = (x: number, y: number, of: Attributes): string =>
  polygon(
    [
      [x - MARK, y - MARK],
      [x + MARK, y - MARK],
      [x, y + MARK + 2],
    ],
    of,
  );

const DRESSES: readonly Dress[] = [
  { colour: '#0072b2', dash: 'none', mark: circle },
  { colour: '#d55e00', dash: '14 6', mark: square },
  { colour: '#009e73', dash: '4 5', mark: triangle },
  { colour: '#cc79a7', dash: '14 5 3 5', mark: diamond },
  { colour: '#56b4e9', dash: '8 4', mark: wedge },
];

export function drawChart(chart: Chart): string {
  const points = chart.series.flatMap((series) => series.points);
  const ys = points.flatMap(({ y, low, high }) => [y, low ?? y, high ?? y]).filter(Number.isFinite);
  const y = axisFor(ys, chart.yScale, TICKS);
  const x = axisFor(
    points.map((point) => point.x),
    'linear',
    TICKS + 2,
  );
  const place: Place =
    chart.groups === null ? numericPlace(x) : groupedPlace(chart.groups.length, chart.series.length);
  const yOf = (value: number): number => TOP + PLOT_HEIGHT * (1 - position(y, value));
  const height = TOP + PLOT_HEIGHT + LABELS_HEIGHT + LEGEND_ROW * legendRows(chart.series);
  return svgFile(WIDTH, height, chart.title, [
    text(chart.title, { x: LEFT, y: 38, 'font-size': 26, 'font-weight': 'bold', fill: INK }),
    text(chart.subtitle, { x: LEFT, y: 66, 'font-size': 17, fill: '#555555' }),
    ...drawY(y, yOf, chart.yLabel),
    ...drawX(chart, x, place),
    ...chart.series.flatMap((series, i) => drawSeries(series, i, place, yOf, chart.groups === null)),
    ...drawLegend(chart.series, chart.groups === null),
  ]);
}

/** Pixels from the left of a series' point. */
type Place = (x: number, series: number) => number;

const numericPlace =
  (axis: Axis): Place =>
  (x) =>
    LEFT + PLOT_WIDTH * position(axis, x);

function groupedPlace(groups: number, series: number): Place {
  const room = PLOT_WIDTH / groups;
  return (x, i) => LEFT + room * (x + 0.5 + GROUP_SHARE * ((i + 0.5) / series - 0.5));
}

function drawY(axis: Axis, yOf: (value: number) => number, label: string): string[] {
  const middle = TOP + PLOT_HEIGHT / 2;
  return [
    ...axis.ticks.flatMap((tick) => [
      line(LEFT, yOf(tick), WIDTH - RIGHT, yOf(tick), { stroke: GRID, 'stroke-width': 1.5 }),
      text(tickLabel(tick), {
        x: LEFT - 10,
        y: yOf(tick) + 6,
        'font-size': 18,
        'text-anchor': 'end',
        fill: INK,
      }),
    ]),
    text(label, {
      x: 28,
      y: middle,
      'font-size': 18,
      'text-anchor': 'middle',
      fill: INK,
      transform: `rotate(-90 28 ${middle})`,
    }),
  ];
}

function drawX({ groups, xLabel }: Chart, axis: Axis, place: Place): string[] {
  const y = TOP + PLOT_HEIGHT;
  const style = { 'font-size': 18, 'text-anchor': 'middle', fill: INK };
  const room = PLOT_WIDTH / Math.max(1, groups?.length ?? 1);
  const marks =
    groups === null
      ? axis.ticks.map((tick) => text(tickLabel(tick), { x: place(tick, 0), y: y + 26, ...style }))
      : groups.map((name, i) => text(name, { x: LEFT + room * (i + 0.5), y: y + 26, ...style }));
  return [
    line(LEFT, y, WIDTH - RIGHT, y, { stroke: INK, 'stroke-width': 2 }),
    ...marks,
    text(xLabel, { x: LEFT + PLOT_WIDTH / 2, y: y + 54, ...style }),
  ];
}

function drawSeries(
  { points }: Series,
  index: number,
  place: Place,
  yOf: (value: number) => number,
  joined: boolean,
): string[] {
  const { colour, dash, mark } = dressOf(index);
  const at = points
    .map((point) => ({ ...point, px: place(point.x, index), py: yOf(point.y) }))
    .filter(({ py }) => Number.isFinite(py));
  const stroke = { stroke: colour, 'stroke-width': 3 };
  const path = at.map(({ px, py }) => `${px.toFixed(1)},${py.toFixed(1)}`).join(' ');
  return [
    ...(joined && at.length > 1
      ? [element('polyline', { points: path, fill: 'none', 'stroke-dasharray': dash, ...stroke })]
      : []),
    ...at.flatMap(({ px, low, high }) =>
      low === undefined || high === undefined ? [] : [line(px, yOf(low), px, yOf(high), stroke)],
    ),
    ...at
      .filter((_, i) => i % Math.ceil(at.length / MARKS_MAX) === 0)
      .map(({ px, py }) => mark(px, py, { fill: colour, stroke: '#ffffff', 'stroke-width': 1 })),
  ];
}

const dressOf = (index: number): Dress => DRESSES[index % DRESSES.length]!;

/** One series needs no name. */
const legendRows = (series: readonly Series[]): number =>
  series.length < 2 ? 0 : Math.ceil(series.length / LEGEND_COLUMNS);

function drawLegend(series: readonly Series[], joined: boolean): string[] {
  if (legendRows(series) === 0) return [];
  const room = PLOT_WIDTH / LEGEND_COLUMNS;
  return series.flatMap(({ name, points }, i) => {
    const { colour, dash, mark } = dressOf(i);
    const x = LEFT + room * (i % LEGEND_COLUMNS);
    const y = TOP + PLOT_HEIGHT + LABELS_HEIGHT + LEGEND_ROW * Math.floor(i / LEGEND_COLUMNS);
    const sample = { stroke: colour, 'stroke-width': 3, 'stroke-dasharray': dash };
    return [
      ...(joined ? [line(x, y, x + 40, y, sample)] : []),
      mark(x + 20, y, { fill: colour, stroke: '#ffffff', 'stroke-width': 1 }),
      text(points.length === 0 ? `${name}: nothing to show` : name, {
        x: x + 50,
        y: y + 6,
        'font-size': 17,
        fill: INK,
      }),
    ];
  });
}
