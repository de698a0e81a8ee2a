// A bar chart as SVG: one group of bars for each column, one bar for each row.

const WIDTH = 900;
const LEFT = 300;
const BAR = 16;
const COLOURS = { ours: '#1d6b4f', theirs: '#9aa4ad' };

/** `columns` of `rows` of microseconds. */
export function chart(columns) {
  const most = Math.max(...Object.values(columns).flatMap((rows) => Object.values(rows)));
  const parts = [];
  let y = 24;
  for (const [title, rows] of Object.entries(columns)) {
    parts.push(text(8, y, title, 'font-weight="bold"'));
    y += 8;
    for (const [name, value] of Object.entries(rows)) {
      parts.push(bar(y, name.replaceAll('*', ''), value, most));
      y += BAR + 4;
    }
    y += 28;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/>
${parts.join('\n')}
</svg>
`;
}

function bar(y, name, value, most) {
  const width = Math.max(1, (value / most) * (WIDTH - LEFT - 80)).toFixed(1);
  const colour = name.startsWith('lychgate') ? COLOURS.ours : COLOURS.theirs;
  return `<rect x="${LEFT}" y="${y}" width="${width}" height="${BAR}" fill="${colour}"/>
${text(LEFT - 8, y + 12, name, 'text-anchor="end"')}
${text(LEFT + Number(width) + 6, y + 12, `${value.toPrecision(3)} us`)}`;
}

function text(x, y, content, attributes = '') {
  return `<text x="${x}" y="${y}" ${attributes}>${content}</text>`;
}
