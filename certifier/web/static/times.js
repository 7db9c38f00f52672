// Times in signed documents: RFC 3339 in UTC, whole seconds, written in one way only. Here they are milliseconds since 1970.

import { refuse } from "./bytes.js";

export const timeText = (moment) => new Date(moment).toISOString().replace(/\.\d+/, "");

export function parseTime(text) {
  const moment = typeof text === "string" ? Date.parse(text) : NaN;
  return moment >= 0 && timeText(moment) === text ? moment : refuse();
}
