// <spark-line>: the course of one or two figures over five minutes. Its properties: `values`, one array
// per line, and `names`, the CSS variables of their colors. It draws only while it can be seen.

import uPlot from "/uplot/uPlot.esm.js";

const SAMPLES_MAX = 300;
const HEIGHT = 44;

class SparkLine extends HTMLElement {
  #values = [[]];
  #chart = null;
  #isSeen = false;
  #resize = new ResizeObserver(() => this.#fit());
  #seen = new IntersectionObserver((entries) => {
    this.#isSeen = entries.some(({ isIntersecting }) => isIntersecting);
    if (this.#isSeen) this.#draw();
  });
  #rebuild = () => {
    this.#chart?.destroy();
    this.#chart = null;
    this.#draw();
  };

  names = ["accent"];

  set values(values) {
    this.#values = values;
    if (this.#isSeen) this.#draw();
  }

  connectedCallback() {
    this.#resize.observe(this);
    this.#seen.observe(this);
    scheme.addEventListener("change", this.#rebuild);
  }

  disconnectedCallback() {
    this.#resize.disconnect();
    this.#seen.disconnect();
    scheme.removeEventListener("change", this.#rebuild);
    this.#chart?.destroy();
    this.#chart = null;
  }

  #draw() {
    if (this.clientWidth === 0) return;
    this.#chart ??= new uPlot(this.#options(), this.#data(), this);
    this.#chart.setData(this.#data());
  }

  #fit() {
    const width = this.clientWidth;
    if (width > 0 && this.#chart) this.#chart.setSize({ width, height: HEIGHT });
    else if (this.#isSeen) this.#draw();
  }

  /** The newest sample is at the right edge, also while there are few. */
  #data() {
    const { length } = this.#values[0];
    return [this.#values[0].map((_, nth) => SAMPLES_MAX - length + nth), ...this.#values];
  }

  #options() {
    const style = getComputedStyle(this);
    const color = (name) => style.getPropertyValue(`--${name}`).trim();
    return {
      width: this.clientWidth,
      height: HEIGHT,
      padding: [3, 0, 1, 0],
      legend: { show: false },
      cursor: { show: false },
      select: { show: false },
      axes: [{ show: false }, { show: false }],
      scales: {
        x: { time: false, range: [0, SAMPLES_MAX - 1] },
        y: { range: (_, __, most) => [0, Math.max(most ?? 0, 1) * 1.05] },
      },
      series: [
        {},
        ...this.names.map((name, nth) => ({
          stroke: color(name),
          width: 1.5,
          fill: nth === 0 && this.names.length === 1 ? color(`${name}-fill`) : undefined,
          points: { show: false },
        })),
      ],
    };
  }
}

const scheme = matchMedia("(prefers-color-scheme: dark)");
customElements.define("spark-line", SparkLine);
