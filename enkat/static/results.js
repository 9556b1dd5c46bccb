// Draws the charts of the results pages: as wide as the paper, in light or dark, on the printer's page, as a picture.
// Without it the tables say the same.
(() => {
  'use strict';

  const dark = matchMedia('(prefers-color-scheme: dark)');
  const narrow = matchMedia('(max-width: 699px)');
  const { palette, template } = JSON.parse(document.getElementById('charts').textContent);
  const PRINTED = 605; // 160 mm, in CSS pixels
  const PICTURE = 1120;

  // Every colour of light paper exchanged for its like on dark paper.
  const darkened = (value) => {
    if (typeof value === 'string') return value.replace(/#[0-9A-F]{6}/g, (colour) => palette[colour] || colour);
    if (Array.isArray(value)) return value.map(darkened);
    if (value && typeof value === 'object') {
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, darkened(inner)]));
    }
    return value;
  };

  // A figure for paper of some width.
  const made = (figure, grid, isDark, extra) => {
    const light = { data: figure.data, layout: { ...figure.layout, template } };
    const { data, layout } = isDark ? darkened(light) : structuredClone(light);
    if (grid === figure.grids.narrow) {
      // As many numbers as months would run together on a phone: they stand in two rows there.
      for (const trace of data) {
        if (trace.mode === 'text' && trace.x.length > 12) {
          trace.textfont = { size: 9 };
          trace.y = trace.y.map((y, number) => y + 8 * (number % 2));
        }
      }
    }
    grid.x.forEach((domain, number) => {
      const axis = number ? number + 1 : '';
      layout[`xaxis${axis}`].domain = domain;
      layout[`yaxis${axis}`].domain = grid.y[number];
    });
    const config = { displayModeBar: false, showSendToCloud: false, displaylogo: false };
    return { data, layout: { ...layout, height: grid.height, autosize: false, ...extra }, config };
  };

  const charts = Array.from(document.querySelectorAll('[data-figure]'), (place) => ({
    place, figure: JSON.parse(document.getElementById(place.dataset.figure).textContent),
  }));

  const draw = ({ place, figure }, printed) => {
    place.hidden = false;
    const grid = narrow.matches && !printed ? figure.grids.narrow : figure.grids.wide;
    const style = getComputedStyle(place);
    const inside = place.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const extra = printed ? { width: PRINTED, height: 0.78 * grid.height } : { width: inside };
    const { data, layout, config } = made(figure, grid, dark.matches && !printed, extra);
    return Plotly.react(place, data, layout, config);
  };

  for (const part of document.querySelectorAll('[data-charted]')) part.hidden = false;
  const drawAll = () => charts.forEach((chart) => draw(chart, false));
  drawAll();
  dark.addEventListener('change', drawAll);
  let width = innerWidth;
  addEventListener('resize', () => {
    if (innerWidth === width) return; // a phone's address bar comes and goes
    width = innerWidth;
    requestAnimationFrame(drawAll);
  });
  addEventListener('beforeprint', () => charts.forEach((chart) => draw(chart, true)));
  addEventListener('afterprint', drawAll);

  // A picture is for a report: wide, on white, with its title.
  for (const button of document.querySelectorAll('[data-image]')) {
    button.hidden = false;
    const { figure } = charts.find(({ place }) => place.id === button.dataset.image);
    button.addEventListener('click', () => {
      const grid = figure.grids.wide;
      const [above, below] = [figure.layout.margin.t + 40, figure.layout.margin.b + 30];
      const size = { height: grid.height + 70, margin: { ...figure.layout.margin, t: above, b: below } };
      const title = { text: button.dataset.title, x: 0.01, xanchor: 'left', y: 0.985, yanchor: 'top', font: { size: 18, color: '#1B2421', weight: 650 } };
      const source = { text: button.dataset.source, xref: 'paper', yref: 'paper', x: 0, y: 0, yshift: -below + 2, xanchor: 'left', yanchor: 'bottom' };
      const picture = made(figure, grid, false, { title, ...size });
      picture.layout.annotations.push(source);
      const filename = `enkat-${button.dataset.image.replace('chart-', '')}`;
      Plotly.downloadImage(picture, { format: 'png', width: PICTURE, height: size.height, scale: 2, filename });
    });
  }
})();
