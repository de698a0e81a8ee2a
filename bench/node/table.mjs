// A table as Markdown: microseconds, and how many a second that makes.

/** `columns` of rows of microseconds, by name. */
export function table(title, columns) {
  const names = [...new Set(Object.values(columns).flatMap((column) => Object.keys(column)))];
  const heads = Object.keys(columns);
  const lines = [`## ${title}`, '', `| us | ${heads.join(' | ')} |`, `|---|${heads.map(() => '---:|').join('')}`];
  for (const name of names) {
    const cells = heads.map((head) => cell(columns[head][name]));
    lines.push(`| ${name} | ${cells.join(' | ')} |`);
  }
  return `${lines.join('\n')}\n`;
}

function cell(microseconds) {
  if (microseconds === undefined) return '-';
  const rate = Math.round(1e6 / microseconds);
  return `${microseconds.toPrecision(3)} (${rate.toLocaleString('en')}/s)`;
}
