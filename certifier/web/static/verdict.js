// The verdict as a pure table of the axes: the same file that the service and the command line run.

import table from "../../certificate/verdict.json" with { type: "json" };

export const AXES = table.axes;

// The first row whose every condition holds; the last row has none.
export const verdictOf = (axes) =>
  table.rows.find(({ when }) => Object.entries(when).every(([axis, values]) => values.includes(axes[axis])));
