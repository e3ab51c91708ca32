// Durations, times and lists of names as text.

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A duration in its largest unit: "12 s", "4 min", "3 h", "5 d". */
function durationText(ms) {
  const [size, unit] =
    ms < MINUTE_MS
      ? [1000, "s"]
      : ms < HOUR_MS
        ? [MINUTE_MS, "min"]
        : ms < 2 * DAY_MS
          ? [HOUR_MS, "h"]
          : [DAY_MS, "d"];
  return `${Math.max(0, Math.floor(ms / size))}\u00a0${unit}`;
}

/** The time that is left until an event: "32 s", "4:32", "2 h 5 min", "3 d". */
function countdownText(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${String(seconds % 60).padStart(2, "0")}`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.floor(minutes / 1440)} d`;
}

/** A time of day in the viewer's time zone, with the date unless that is the date of `now`. */
function timeText(ms, now) {
  const then = new Date(ms);
  const time = then.toLocaleTimeString("en-GB");
  if (then.toDateString() === new Date(now).toDateString()) return time;
  const day = then.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  return `${day} ${time.slice(0, 5)}`;
}

/** A count with its noun: "1 symbol", "2 symbols". */
function plural(count, one, many) {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}

/** Names as one text: "A", "A and B", "A, B and C". */
function joinNames(names) {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
